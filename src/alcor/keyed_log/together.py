"""Put together what is told at about the same time: while one put is under way, the next gathers.
What is asked at the same time is asked together as well.

A put costs its call as much as its changes. Hosts that are sent one change report it within the
same moment, so a fleet's reports are a few puts. Of a key only the newest change is put; whoever
told an older one has been heard as well. Who tells the same again and again need not wait.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from alcor.keyed_log.log import Change, Entry, KeyedLog

_log = structlog.get_logger(__name__)

turns_quiet, turns_max = 4, 64  # of the event loop, before a call is begun


class TogetherPut:
    """The way of one teller to one log."""

    def __init__(self, log: KeyedLog) -> None:
        self._log = log
        self._gathered: dict[str, Change] = {}
        self._next: asyncio.Task[None] | None = None  # puts what is gathered
        self._turn = asyncio.Lock()

    async def put(self, changes: Sequence[Change]) -> None:
        """Return when the log has taken these, or newer ones."""
        await asyncio.shield(self.add(changes))  # others wait for it as well

    def add(self, changes: Sequence[Change]) -> "asyncio.Task[None]":
        """Have these put, and go on; the answer ends when the log has taken them, or newer ones."""
        for change in changes:
            held = self._gathered.get(change.key)
            if held is None or held.revision < change.revision:
                self._gathered[change.key] = change
        if self._next is None:
            self._next = asyncio.create_task(self._put_gathered(), name="put-together")
            self._next.add_done_callback(_look)
        return self._next

    async def _put_gathered(self) -> None:
        async with self._turn:
            await _assemble(lambda: len(self._gathered))
            changes, self._gathered, self._next = list(self._gathered.values()), {}, None
            await self._log.put(changes)


class TogetherGet:
    """The way of one asker to one log."""

    def __init__(self, log: KeyedLog) -> None:
        self._log = log
        self._gathered: dict[str, None] = {}
        self._next: asyncio.Task[Mapping[str, Entry]] | None = None  # asks for what is gathered

    async def get(self, key: str) -> Entry | None:
        """What the log holds of a key at some time after this was called; None: nothing."""
        self._gathered[key] = None
        if self._next is None:
            self._next = asyncio.create_task(self._get_gathered(), name="get-together")
            self._next.add_done_callback(_look)
        return (await asyncio.shield(self._next)).get(key)  # others wait for it as well

    async def _get_gathered(self) -> Mapping[str, Entry]:
        await _assemble(lambda: len(self._gathered))
        keys, self._gathered, self._next = list(self._gathered), {}, None
        return await self._log.get(keys)


async def _assemble(count: Callable[[], int]) -> None:
    """Let those join who come at this moment: until some turns of the loop brought nobody."""
    quiet = 0
    for _ in range(turns_max):
        before = count()
        await asyncio.sleep(0)
        quiet = quiet + 1 if count() == before else 0
        if quiet == turns_quiet:
            return


def _look(task: "asyncio.Task[Any]") -> None:
    """Those who wait get the error; it is told here for those who don't."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("log.failed", doing=task.get_name(), error=repr(error))
