"""What an agent wants, what it has of it, and what it has not said yet: the same for every carrier.

Nothing queues without bound here: subscriptions are a map, and reports that wait are one report.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from alcor.transport import wire
from alcor.transport.link import Frame, Hello, PortState, Report

heartbeat_s = 10.0  # a host that has nothing to say repeats how far it is
connect_s_max = 10.0
hello_s_max = 30.0  # for a delivery to let the host in: many may come at once
get_s_max = 5.0
backoff_first_s = 0.1
backoff_max_s = 10.0

Chance = Callable[[], float]  # a random number from 0 to 1


@dataclass(slots=True)
class _Slice:
    """A slice that is wanted; what was held of it before this connection, while not `current`."""

    epoch: int
    position: int
    current: bool = False  # this connection has brought it up to date


class Standing:
    """One host, from connection to connection."""

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self._slices: dict[str, _Slice] = {}
        self._changed: dict[str, None] = {}  # slices whose (un)subscription was not said yet
        self._report: Report | None = None  # not said yet
        self._said = Report(0, 0)
        self._epoch = 0
        self._position = 0
        self._told_s = 0.0  # when it was said last how far we are
        self._wake = asyncio.Event()

    def subscribe(self, name: str, epoch: int, position: int) -> None:
        """Want a slice, of which everything up to (epoch, position) is held already."""
        if name not in self._slices:
            self._slices[name] = _Slice(epoch, position)
            self._say(name)

    def unsubscribe(self, name: str) -> None:
        """Want it no more."""
        if self._slices.pop(name, None) is not None:
            self._say(name)

    def report(self, report: Report) -> None:
        """Tell how far the host is."""
        self._report = merged(self._report, report)
        self._wake.set()

    def resume(self) -> None:
        """A connection begins: what the last one brought up to date is held up to its last frame,
        and every subscription is to be said."""
        for slice_ in self._slices.values():
            if slice_.current:
                slice_.epoch, slice_.position = self._epoch, self._position
                slice_.current = False
        self._changed = dict.fromkeys(self._slices)
        self._told_s = asyncio.get_running_loop().time()
        self._wake.set()

    def note(self, frame: Frame) -> None:
        """A frame has come."""
        self._epoch, self._position = frame.epoch, frame.position
        self.hello = self.hello._replace(reached=frame.reached)
        for name in frame.begins:
            if name in self._slices:
                self._slices[name] = _Slice(0, 0)
        for name in (*frame.completes, *frame.resumes):
            if name in self._slices:
                self._slices[name].current = True
        for name in frame.refused:
            self._slices.pop(name, None)

    async def to_say(self) -> Iterator[wire.HostMessage]:
        """Wait until there is something to say, or it is time to say again how far we are."""
        try:
            async with asyncio.timeout_at(self._told_s + heartbeat_s):
                await self._wake.wait()
        except TimeoutError:
            self._told_s = asyncio.get_running_loop().time()
            return iter((self._said._replace(ports=()),))
        self._wake.clear()
        return self._news()

    def _news(self) -> Iterator[wire.HostMessage]:
        while self._changed:
            name = next(iter(self._changed))
            del self._changed[name]
            yield self._subscription(name)
        if self._report is not None:
            self._said, self._report = self._report, None
            self._told_s = asyncio.get_running_loop().time()
            yield self._said

    def _say(self, name: str) -> None:
        self._changed[name] = None
        self._wake.set()

    def _subscription(self, name: str) -> wire.HostMessage:
        wanted = self._slices.get(name)
        if wanted is None:
            return wire.Unsubscribe(name)
        return wire.Subscribe(name, wanted.epoch, wanted.position)


def backoff_s(attempt: int, chance: float) -> float:
    """How long to wait after an attempt that failed: doubled each time, half of it by chance."""
    longest = min(backoff_max_s, backoff_first_s * 2.0 ** min(attempt, 20))
    return longest * (0.5 + 0.5 * chance)


def merged(earlier: Report | None, later: Report) -> Report:
    """One report that says both: the later position, the last state of every port."""
    if earlier is None:
        return later
    ports: dict[str, PortState] = {port.port_id: port for port in (*earlier.ports, *later.ports)}
    return later._replace(ports=tuple(ports.values()))
