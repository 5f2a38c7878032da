"""Finish or undo what was begun with routers' ports."""

from collections.abc import Iterable

from alcor.contracts.held_ports import ROUTER_INTERFACE, Claim
from alcor.contracts.peers import Ids
from alcor.intent.records import PortRecord, SubnetRecord
from alcor.managers.router.model.attachments import Attachment, attachment, gates_of
from alcor.managers.router.model.router import with_one
from alcor.managers.router.needs import Note, Peers, Store, Transaction, Undo
from alcor.resource.revisions import touched
from alcor.runtime.managing import settling
from alcor.runtime.managing.writes import Makers
from alcor.values.missing import RouterNotFound


class Settling(settling.Settling[Note]):
    """Keeps the notes on ports of routers."""

    def __init__(self, store: Store, peers: Peers, makers: Makers) -> None:
        super().__init__(store, self._carry_out)
        self._routers = store
        self._peers = peers
        self._makers = makers

    async def subnets_of(self, port: PortRecord) -> dict[str, SubnetRecord]:
        """The subnets that a port is on."""
        ids = sorted({ip.subnet_id for ip in port.fixed_ips})
        found = (await self._peers.subnets.subnets(Ids(ids))).subnets if ids else []
        return {subnet.id: subnet for subnet in found}

    async def _carry_out(self, note: Note) -> None:
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
            gates = gates_of(router.gateways, tx.attachments(router.id))
            tx.attach(attachment(router.id, port, subnets, is_gateway=held.is_gateway))
            values: dict[str, object] = {}
            for info, gate in zip(router.gateways, gates, strict=True):
                if gate == held:
                    values = with_one(router, info, info.with_addresses(port.fixed_ips))
            tx.save(touched(router, values, now))

        await self._routers.write(work)


def _held(attachments: Iterable[Attachment], port_id: str) -> Attachment | None:
    return next((each for each in attachments if each.port_id == port_id), None)
