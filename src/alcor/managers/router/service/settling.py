"""Finish or undo what was begun with ports, whatever was cut short and when.

Before a peer is asked to do something with a port, a note on it is saved; the transaction that
saves what was done removes the note, or says what is left to do. So a crash at any moment leaves
a note, never a port that nobody knows.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from alcor.contracts.held_ports import ROUTER_INTERFACE, Claim
from alcor.contracts.peers import Ids
from alcor.intent.records import PortRecord, SubnetRecord
from alcor.managers.router.model.attachments import Attachment, attachment
from alcor.managers.router.model.refusals import RouterNotFound
from alcor.managers.router.model.router import touched
from alcor.managers.router.needs import Makers, Note, Peers, Store, Transaction, Undo
from alcor.runtime.patience import Patience

notes_per_step_max = 1_000


class Settling:
    """Keeps the notes."""

    def __init__(self, store: Store, peers: Peers, makers: Makers) -> None:
        self._store = store
        self._peers = peers
        self._makers = makers
        self._at_work: set[str] = set()  # ports whose notes somebody is working on
        self._patience = Patience()

    @asynccontextmanager
    async def begun(self, notes: Sequence[Note]) -> AsyncIterator[None]:
        """Work on ports; what fails is undone."""
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

    async def _undo(self, notes: Sequence[Note]) -> None:
        # By a write, which waits for those before it: whoever was cancelled may have saved all.
        await self.finish(await self._store.write(lambda tx: tx.standing(notes)))

    async def finish(self, notes: Iterable[Note]) -> None:
        """Do what the notes say; what can't be done now is done later, by the note."""
        for note in notes:
            try:
                await self._do(note)
                await self._forget(note.port_id)
                self._patience.done(note.port_id)
            except Exception as error:  # the note remains: a later round tries again
                self._patience.failed(note.port_id, error, port=note.port_id, undo=note.undo)

    async def settle(self) -> None:
        """Do what all notes say that nobody is working on."""
        after = ""
        while notes := await self._step(after):
            await self.finish(note for note in notes if self._is_due(note))
            after = notes[-1].port_id

    def _is_due(self, note: Note) -> bool:
        return note.port_id not in self._at_work and self._patience.is_due(note.port_id)

    async def _step(self, after: str) -> list[Note]:
        return await self._store.read(lambda tx: tx.notes(after, notes_per_step_max))

    async def _forget(self, port_id: str) -> None:
        await self._store.write(lambda tx: tx.settled([port_id]))

    async def subnets_of(self, port: PortRecord) -> dict[str, SubnetRecord]:
        """The subnets that a port is on."""
        ids = sorted({ip.subnet_id for ip in port.fixed_ips})
        found = (await self._peers.subnets.subnets(Ids(ids))).subnets if ids else []
        return {subnet.id: subnet for subnet in found}

    async def _do(self, note: Note) -> None:
        claim = Claim(port_id=note.port_id, device_owner=ROUTER_INTERFACE, device_id=note.router_id)
        match note.undo:
            case Undo.DROP:
                await self._peers.ports.drop(claim)
            case Undo.GIVE_BACK:
                await self._peers.ports.give_back(claim)
            case Undo.LIFT:
                await self._peers.floating_ips.lift_hops(Ids([note.port_id]))
            case Undo.REFRESH:
                await self._refresh(note)

    async def _refresh(self, note: Note) -> None:
        """Let the router have the addresses that the port has."""
        views = (await self._peers.ports.views(Ids([note.port_id]))).ports
        if not views:
            return
        port = views[0].port
        subnets = await self.subnets_of(port)
        now = self._makers.now()

        def work(tx: Transaction) -> None:
            try:
                router = tx.router(note.router_id, None)
            except RouterNotFound:
                return
            held = _held(tx.attachments(router.id), port.id)
            if held is None:
                return
            tx.attach(attachment(router.id, port, subnets, is_gateway=held.is_gateway))
            info = router.external_gateway_info
            values: dict[str, object] = {}
            if held.is_gateway and info is not None:
                values["external_gateway_info"] = info.with_addresses(port.fixed_ips)
            tx.save(touched(router, values, now))

        await self._store.write(work)


def _held(attachments: Iterable[Attachment], port_id: str) -> Attachment | None:
    return next((each for each in attachments if each.port_id == port_id), None)
