"""Others' resources that ours hang on: what hangs on one that has gone goes with it.

From the intent log, and whenever a manager asks about them: a deletion answered before is never
seen undone. Only what is watched costs anything, whatever number of others change.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from alcor.intent.follow import id_of
from alcor.keyed_log.log import Entry


class Watching(ABC):
    """Follows one kind of resources, of another manager."""

    def __init__(self) -> None:
        self._watched: set[str] = set()

    @abstractmethod
    async def in_use(self) -> set[str]:
        """All that something of ours hangs on."""

    @abstractmethod
    async def look(self, ids: Iterable[str]) -> object:
        """Ask the owner about these; what hangs on one that is not there is gone afterwards, and
        that is not `_watched` any more."""

    async def load(self) -> None:
        """Watch all that is in use; for the start."""
        self._watched |= await self.in_use()

    def watch(self, ids: Iterable[str | None]) -> None:
        """Before something is saved that hangs on them."""
        self._watched.update(id_ for id_ in ids if id_)

    async def replace(self, entries: Sequence[Entry]) -> None:
        """The log's snapshot of all: it may lack what is new, so ask about what it lacks."""
        told = {id_of(entry) for entry in entries}
        await self.apply(entries)
        await self.look(self._watched - told)

    async def apply(self, entries: Sequence[Entry]) -> None:
        """Changes, from the log."""
        gone = {id_of(entry) for entry in entries if entry.value is None}
        await self.look(gone & self._watched)
