"""Ports get their automatic addresses also when the database was away at first."""

import asyncio
from typing import Any

from alcor.managers.port.model.addressing import SubnetView
from alcor.managers.port.service.automatic import AutomaticAddresses
from alcor.simulation.fakes.clock import VirtualLoop
from alcor.values.addresses import Prefix
from alcor.values.errors import Unavailable

SUBNET = SubnetView("s", "n", Prefix(6, 0xFD << 120, 64), automatic=True)


class Store:
    """Of one port, once the database is there."""

    def __init__(self) -> None:
        self.pages: list[Any] = [Unavailable("the database is away"), [("p", "")], []]

    async def read(self, work: object) -> Any:
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


class Queue:
    def __init__(self) -> None:
        self.asked: asyncio.Queue[str] = asyncio.Queue()

    async def ask(self, request: Any, weight: int = 1) -> Any:
        self.asked.put_nowait(request.id)


def test_a_subnet_is_looked_at_again_when_the_database_was_away() -> None:
    async def story() -> str:
        store: Any = Store()
        queue = Queue()
        automatic = AutomaticAddresses(store, queue)
        running = asyncio.ensure_future(automatic.run())
        automatic.take([SUBNET])
        try:
            async with asyncio.timeout(60):
                return await queue.asked.get()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(story()) == "p"
