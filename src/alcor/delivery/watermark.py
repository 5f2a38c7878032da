"""How much of what tenants want has been planned, and how much of that was offered to hosts.

Pure but for who waits. The goal log's positions are this delivery's own; the intent log's are the
same for all, so they are what hosts carry from one delivery to the next.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from alcor.transport.link import Behind, Reached

catch_up_s_max = 10.0  # how long a host that knows more than we do waits for us
hint_s_max = 1.0  # and one that knows more of another life of the log, which may be shorter now


class _Mark(NamedTuple):
    """The goal log up to `position` holds what `reached` says."""

    position: int
    reached: Reached


class Watermark:
    """The pump moves `planned`; `offered` follows the feed."""

    def __init__(self) -> None:
        self.planned = Reached()
        self._offered = Reached()
        self._marks: deque[_Mark] = deque()  # planned, and not known to be offered yet
        self._moved = asyncio.Event()  # set, and made anew, whenever something is planned

    def move(self, position: int, reached: Reached) -> None:
        """The goal log, up to `position`, holds all that was wanted up to `reached`."""
        if reached.life != self.planned.life:
            self._marks.clear()
            self._offered = Reached(reached.life)
        self.planned = reached
        if self._marks and self._marks[-1].position == position:
            self._marks.pop()
        self._marks.append(_Mark(position, reached))
        self._moved.set()
        self._moved = asyncio.Event()

    def offered(self, position: int) -> Reached:
        """What hosts have been offered, when they have been offered goal state up to `position`."""
        while self._marks and self._marks[0].position <= position:
            self._offered = self._marks.popleft().reached
        return self._offered

    async def catch_up(self, reached: Reached) -> None:
        """Wait until as much has been planned as `reached` says; `Behind` when it takes too long.

        A position of another life of the log is no promise, only a hint: then we go on.
        """
        is_promise = self.planned.life == reached.life
        with suppress(TimeoutError):
            async with asyncio.timeout(catch_up_s_max if is_promise else hint_s_max):
                while self.planned.position < reached.position:
                    await self._moved.wait()
                return
        if self.planned.life == reached.life:
            raise Behind(f"planned up to {self.planned.position}, the host has {reached.position}")
