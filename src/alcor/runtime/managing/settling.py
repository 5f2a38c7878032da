"""Finish or undo what a manager began with others' ports, whatever was cut short and when.

Before a peer is asked to do something with a port, a note on it is saved; the transaction that
saves what was done removes the note, or says what is left to do. So a crash at any moment leaves
a note, never a port that nobody knows.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

from alcor.intent.store import Store
from alcor.runtime.patience import Patience
from alcor.runtime.rounds import rounds

notes_per_step_max = 1_000


class Note(Protocol):
    """What is to be done about a port when what was begun with it is not finished."""

    @property
    def port_id(self) -> str: ...


AnyNote = TypeVar("AnyNote", bound=Note)


class Notes(Protocol[AnyNote]):
    """The notes within one transaction of a manager's store; at most one on each port."""

    def note(self, notes: Iterable[AnyNote]) -> None:
        """Remember what is begun, or left to do."""
        ...

    def settled(self, port_ids: Iterable[str]) -> None:
        """Forget the notes on these ports."""
        ...

    def standing(self, notes: Sequence[AnyNote]) -> list[AnyNote]:
        """Those of the notes that are still there, just so."""
        ...

    def notes(self, after: str, limit: int) -> list[AnyNote]:
        """Those on ports after an id, in order of it."""
        ...


class Settling(Generic[AnyNote]):
    """Keeps the notes; `do` does what a note says, and may be asked again for what is done."""

    def __init__(
        self, store: Store[Notes[AnyNote]], do: Callable[[AnyNote], Awaitable[object]]
    ) -> None:
        self._store = store
        self._do = do
        self._at_work: set[str] = set()  # ports whose notes somebody is working on
        self._patience = Patience()

    @asynccontextmanager
    async def begun(self, notes: Sequence[AnyNote]) -> AsyncIterator[None]:
        """Work on ports; when that or saving what was done fails, it is undone."""
        await self._store.write(lambda tx: tx.note(notes))
        ports = {note.port_id for note in notes}
        self._at_work |= ports
        try:
            yield
        except BaseException:
            await asyncio.shield(self._undo(notes))
            raise
        finally:
            self._at_work -= ports

    async def finish(self, notes: Iterable[AnyNote]) -> None:
        """Do what the notes say; what can't be done now is done later, by the note."""
        for note in notes:
            try:
                await self._do(note)
                await self._forget(note.port_id)
                self._patience.done(note.port_id)
            except Exception as error:  # the note remains: a later round tries again
                self._patience.failed(note.port_id, error, port=note.port_id, note=str(note))

    async def settle(self) -> None:
        """Do what all notes say that nobody is working on."""
        after = ""
        while notes := await self._step(after):
            await self.finish(note for note in notes if self._is_due(note))
            after = notes[-1].port_id

    async def run(self, interval_s: float) -> None:
        """Settle now, and every so many seconds, for ever."""
        await rounds(self.settle, interval_s, at_once=True)

    async def _undo(self, notes: Sequence[AnyNote]) -> None:
        # By a write, which waits for those before it: whoever was cancelled may have saved all.
        await self.finish(await self._store.write(lambda tx: tx.standing(notes)))

    def _is_due(self, note: AnyNote) -> bool:
        return note.port_id not in self._at_work and self._patience.is_due(note.port_id)

    async def _step(self, after: str) -> list[AnyNote]:
        return await self._store.read(lambda tx: tx.notes(after, notes_per_step_max))

    async def _forget(self, port_id: str) -> None:
        await self._store.write(lambda tx: tx.settled([port_id]))
