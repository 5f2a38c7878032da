"""A goal log, its feed, and a session of one host, through the lives of a control plane."""

import asyncio
from collections.abc import AsyncIterator

from tests.fixtures.frames import next_frame

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.watermark import Watermark
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Frame, Session


class Lives:
    """The log survives nothing: each life begins with an empty one, of a new epoch."""

    goal: MemoryLog
    feed: HostFeed
    session: Session

    def __init__(self) -> None:
        self.index = Index()
        self.epoch = self.revision = 0
        self._fanning: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Another life, without a session yet."""
        await self.end()
        self.epoch += 1
        self.goal = MemoryLog(self.epoch, tombstones_max=3)
        ready = asyncio.Event()
        ready.set()
        self.feed = HostFeed(
            self.goal, MemoryLog(1), self.index, ready.wait, Watermark(), Hosts(1, str)
        )
        self._fanning = asyncio.ensure_future(self.feed.run())

    async def end(self) -> None:
        """The end of this life, if one has begun."""
        if self._fanning is not None:
            await self.session.close()
            self._fanning.cancel()
            await asyncio.gather(self._fanning, return_exceptions=True)

    async def say(self, key: str, value: bytes | None) -> None:
        """Put one entry, or its tombstone, into the log."""
        self.revision += 1
        await self.goal.put([Change(key, value, self.revision)])
        for _ in range(4):
            await asyncio.sleep(0)  # the fan-out takes it

    async def frames(self, most: int) -> AsyncIterator[Frame]:
        """The frames that wait in the session."""
        for _ in range(most):
            try:
                async with asyncio.timeout(0):
                    frame = await next_frame(self.session)
            except TimeoutError:
                return
            assert frame is not None
            yield frame
