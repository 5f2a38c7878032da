"""Delete the ports that floating IPs no longer have, or never came to have.

Before a port is asked for, a note on it is saved; the transaction that saves the floating IP
removes the note, and the one that deletes it writes one. So a crash at any moment leaves a note,
never a port that nobody knows.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from alcor.contracts.held_ports import Claim
from alcor.managers.elastic_ip.needs import HeldPortPeer, Note, Store
from alcor.runtime.patience import Patience

notes_per_step_max = 1_000


class Settling:
    """Keeps the notes."""

    def __init__(self, store: Store, ports: HeldPortPeer) -> None:
        self._store = store
        self._ports = ports
        self._at_work: set[str] = set()  # ports whose notes somebody is working on
        self._patience = Patience()

    @asynccontextmanager
    async def begun(self, notes: Sequence[Note]) -> AsyncIterator[None]:
        """Make ports; when that or saving who has them fails, they are deleted."""
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

    async def finish(self, notes: Iterable[Note]) -> None:
        """Delete the ports of the notes; what can't be done now is done later, by the note."""
        for note in notes:
            try:
                await self._ports.drop(Claim(port_id=note.port_id, device_id=note.floatingip_id))
                await self._forget(note.port_id)
                self._patience.done(note.port_id)
            except Exception as error:  # the note remains: a later round tries again
                self._patience.failed(note.port_id, error, port=note.port_id)

    async def settle(self) -> None:
        """Delete the ports of all notes that nobody is working on."""
        after = ""
        while notes := await self._step(after):
            await self.finish(note for note in notes if self._is_due(note))
            after = notes[-1].port_id

    async def _undo(self, notes: Sequence[Note]) -> None:
        # By a write, which waits for those before it: whoever was cancelled may have saved all.
        await self.finish(await self._store.write(lambda tx: tx.standing(notes)))

    def _is_due(self, note: Note) -> bool:
        return note.port_id not in self._at_work and self._patience.is_due(note.port_id)

    async def _step(self, after: str) -> list[Note]:
        return await self._store.read(lambda tx: tx.notes(after, notes_per_step_max))

    async def _forget(self, port_id: str) -> None:
        await self._store.write(lambda tx: tx.settled([port_id]))
