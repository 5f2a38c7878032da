"""How far a read model has come with another manager's changes, for who waits until it has."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from alcor.keyed_log.log import Entry


class HeardUpTo:
    """The last change that was heard of, by its sequence in its manager."""

    def __init__(self) -> None:
        self._last = 0
        self._waiting: dict[asyncio.Event, int] = {}

    def heard(self, entries: Sequence[Entry]) -> None:
        """These changes are in the read model now."""
        self._last = max(self._last, *(entry.revision for entry in entries), 0)
        for event, sequence in self._waiting.items():
            if sequence <= self._last:
                event.set()

    async def wait(self, sequence: int, timeout_s: float) -> bool:
        """Whether the change was heard of within `timeout_s` seconds."""
        if sequence <= self._last:
            return True
        event = asyncio.Event()
        self._waiting[event] = sequence
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await event.wait()
        finally:
            del self._waiting[event]
        return event.is_set()
