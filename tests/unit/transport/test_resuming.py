"""When a host connects again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from alcor.simulation.fakes.clock import VirtualLoop
from alcor.transport import wire
from alcor.transport.link import Disconnected, Frame, Got, Hello
from alcor.transport.resuming import ResumingLink, lasting_s
from alcor.transport.standing import backoff_s


class Call:
    """A connection that the control plane ends after a while."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s

    async def frames(self) -> AsyncIterator[Frame]:
        await asyncio.sleep(self._lasts_s)
        none: tuple[Frame, ...] = ()
        for frame in none:
            yield frame

    async def say(self, message: wire.HostMessage) -> None:
        pass

    async def get(self, keys: Sequence[str]) -> Got:
        raise ConnectionError

    def hang_up(self, why: str) -> None:
        raise AssertionError(why)


class Link(ResumingLink):
    """Connects at once, for as long as is said of each connection."""

    def __init__(self, *lasts_s: float) -> None:
        super().__init__(Hello("h1", "", None), lambda: 1.0)
        self.lasts_s = list(lasts_s)

    @asynccontextmanager
    async def _connection(self, hello: Hello) -> AsyncIterator[Call]:
        yield Call(self.lasts_s.pop(0))


def waits_after(*lasts_s: float) -> list[float]:
    """How long a host waits after each of these connections but the last."""

    async def main() -> list[float]:
        clock, link = asyncio.get_running_loop().time, Link(*lasts_s, 0.0)
        waits: list[float] = []
        ended = 0.0
        async for event in link.events():
            if isinstance(event, Disconnected):
                ended = clock()
                if not link.lasts_s:
                    break
            elif len(link.lasts_s) < len(lasts_s):
                waits.append(round(clock() - ended, 3))
        return waits

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def test_connections_that_do_not_last_come_ever_later() -> None:
    assert waits_after(0.0, 1.0, 0.0, 2.0) == [backoff_s(attempt, 1.0) for attempt in range(4)]


def test_after_one_that_lasted_the_next_comes_at_once() -> None:
    assert waits_after(0.0, 0.0, lasting_s + 1, 0.0) == [
        backoff_s(attempt, 1.0) for attempt in (0, 1, 0, 1)
    ]
