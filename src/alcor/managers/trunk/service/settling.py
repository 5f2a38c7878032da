"""Let a trunk's ports be as the trunk is, whatever was cut short and when.

Before ports are asked to join or to leave, a note on them is saved. The transaction that saves the
trunk with new sub-ports removes it; ports leave after the trunk has been saved without them. So
what is to be done about a note is always the same: the ports that the trunk does not have leave.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from alcor.contracts.trunking import Leaving
from alcor.managers.trunk.model.refusals import TrunkNotFound
from alcor.managers.trunk.needs import Store, Transaction, TrunkPortPeer
from alcor.runtime.locks import Locks
from alcor.runtime.patience import Patience
from alcor.runtime.rounds import rounds

trunks_per_step_max = 1_000


class Settling:
    """Keeps the notes; whoever works on a trunk holds its lock."""

    def __init__(self, store: Store, ports: TrunkPortPeer) -> None:
        self._store = store
        self._ports = ports
        self.locks = Locks()
        self._patience = Patience()

    @asynccontextmanager
    async def begun(self, trunk_id: str, port_ids: Iterable[str]) -> AsyncIterator[None]:
        """Work on ports; what fails is undone. The caller holds the trunk's lock."""
        await self._store.write(lambda tx: tx.note(trunk_id, port_ids))
        try:
            yield
        except BaseException:
            await asyncio.shield(self._undo(trunk_id))
            raise

    async def finish(self, trunk_id: str, trace: str = "") -> str:
        """Let those ports go that the trunk does not have; the revision by which hosts hear of it.

        The caller holds the trunk's lock.
        """
        # By a write, which waits for those before it: whoever was cancelled may have saved all.
        going = await self._store.write(lambda tx: _surplus(tx, trunk_id))
        leaving = Leaving(trunk_id=trunk_id, port_ids=tuple(going), trace=trace)
        told = await self._ports.leave(leaving)
        await self._store.write(lambda tx: tx.settled(trunk_id))
        return told.revision

    async def settle(self) -> None:
        """Do what all notes say."""
        after = ""
        while trunk_ids := await self._step(after):
            for trunk_id in trunk_ids:
                if self._patience.is_due(trunk_id):
                    async with self.locks.of(trunk_id):
                        await self._undo(trunk_id)
            after = trunk_ids[-1]

    async def run(self, interval_s: float) -> None:
        """Settle now, and every so many seconds, for ever."""
        await rounds(self.settle, interval_s, at_once=True)

    async def _step(self, after: str) -> list[str]:
        return await self._store.read(lambda tx: tx.unsettled(after, trunks_per_step_max))

    async def _undo(self, trunk_id: str) -> None:
        try:
            await self.finish(trunk_id)
            self._patience.done(trunk_id)
        except Exception as error:  # the notes remain: a later round tries again
            self._patience.failed(trunk_id, error, trunk=trunk_id)


def _surplus(tx: Transaction, trunk_id: str) -> list[str]:
    try:
        had = set(tx.trunk(trunk_id, None).port_ids)
    except TrunkNotFound:
        had = set()
    return [id_ for id_ in tx.noted(trunk_id) if id_ not in had]
