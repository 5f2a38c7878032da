"""Give routers a way out, change it, take it away: a port on an external network."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from alcor.contracts.held_ports import ROUTER_GATEWAY, AddressWish, HeldPort, Readdressing
from alcor.contracts.peers import Ids
from alcor.contracts.resources import Caller, Written
from alcor.intent.records import PortRecord, SubnetRecord
from alcor.managers.router.model.attachments import (
    Attachment,
    attachment,
    check_beside,
    gates_of,
    wishes_of,
)
from alcor.managers.router.model.gateway import (
    GatewayInfo,
    WantedGateway,
    check_gateway,
    gateway_info,
    gateway_kept,
    same_addresses,
)
from alcor.managers.router.model.refusals import (
    BadRouterRequest,
    RouterExternalGatewayInUseByFloatingIp,
    RouterGatewayInUseByNDPProxy,
)
from alcor.managers.router.model.router import Router, with_one
from alcor.managers.router.needs import Note, Peers, Store, Transaction, Undo
from alcor.managers.router.service import proxying
from alcor.managers.router.service.settling import Settling
from alcor.managers.router.service.writes import written
from alcor.resource.revisions import touched
from alcor.runtime.managing.outside import network_for
from alcor.runtime.managing.policy_references import PolicyReferences, Wish
from alcor.runtime.managing.writes import Makers, seen_by

# What else a write changes of the router, given what becomes of its gateway.
Apply = Callable[[Transaction, Mapping[str, Any]], Written]

_INFO = "external_gateway_info"


class Gate(NamedTuple):
    """A gateway that has its port and is not saved yet."""

    attachment: Attachment
    info: GatewayInfo


class Gateways:
    """The sagas of gateways; the caller holds the router's lock."""

    def __init__(
        self,
        store: Store,
        peers: Peers,
        settling: Settling,
        makers: Makers,
        policies: PolicyReferences,
    ) -> None:
        self._policies = policies
        self._store = store
        self._peers = peers
        self._settling = settling
        self._makers = makers

    def new_note(self, router_id: str) -> Note:
        """Of a port that is going to be made."""
        return Note(self._makers.new_id(), router_id, Undo.DROP)

    async def make(self, wanted: WantedGateway, note: Note, caller: Caller) -> Gate:
        """Make the port of a note, which has been saved."""
        await self._check(wanted, caller)
        view = await self._peers.ports.make(
            HeldPort(
                id=note.port_id,
                network_id=wanted.network_id,
                device_owner=ROUTER_GATEWAY,
                device_id=note.router_id,
                fixed_ips=wanted.fixed_ips,
                trace=caller.request_id,
            )
        )
        return await self._gate(wanted, view.port, note.router_id)

    async def change(
        self, router: Router, wanted: WantedGateway | None, caller: Caller, apply: Apply
    ) -> Written:
        """Let the router have the gateway that is wanted, and save it with what else changes."""
        attachments = await self._store.read(lambda tx: tx.attachments(router.id))
        info = router.external_gateway_info
        held = gates_of(router.gateways, attachments)[0] if info is not None else None
        trace = caller.request_id
        await self.check_policy(wanted, info, caller)
        if wanted is None:
            return await self._clear(router, held, apply, trace)
        if held is None or info is None or info.network_id != wanted.network_id:
            return await self._replace(router, held, wanted, caller, apply)
        if not same_addresses(info, wanted):
            return await self.readdress(router, held, info, wanted, caller, apply)
        kept = gateway_kept(info, wanted)
        return await self._store.write(lambda tx: apply(tx, {_INFO: kept}), trace)

    async def extend(self, router_id: str, subnet: SubnetRecord) -> None:
        """Give its gateways to the subnet's network an address there, unless they have one of the
        family."""
        router, attachments = await self._store.read(
            lambda tx: (tx.router(router_id, None), tx.attachments(router_id))
        )
        gates = gates_of(router.gateways, attachments)
        for info, held in zip(router.gateways, gates, strict=True):
            if held is not None and info.network_id == subnet.network_id:
                await self._extend(router, info, held, subnet)

    async def _extend(
        self, router: Router, info: GatewayInfo, held: Attachment, subnet: SubnetRecord
    ) -> None:
        if any(place.prefix.version == subnet.ip_version for place in held.places):
            return
        wishes = (*wishes_of(held.places), AddressWish(subnet_id=subnet.id))
        wanted = WantedGateway(info.network_id, info.enable_snat, wishes, info.qos_policy_id)
        now = self._makers.now()

        def apply(tx: Transaction, values: Mapping[str, Any]) -> Written:
            return written(tx, [tx.save(touched(tx.router(router.id, None), values, now))])

        # On behalf of nobody: the network is the router's way out already.
        caller = Caller(project_id=router.project_id, admin=True)
        await self.readdress(router, held, info, wanted, caller, apply)

    async def _clear(
        self, router: Router, held: Attachment | None, apply: Apply, trace: str
    ) -> Written:
        if held is None:
            return await self._store.write(lambda tx: apply(tx, {_INFO: None}), trace)
        leaving = Note(held.port_id, router.id, Undo.DROP)

        def work(tx: Transaction) -> Written:
            leave(tx, leaving)
            return apply(tx, {_INFO: None})

        async with self._settling.begun([Note(held.port_id, router.id, Undo.LIFT)]):
            await self.fence(router, held)
            done = await self._store.write(work, trace)
        await self._settling.finish([leaving])
        return done

    async def _replace(
        self,
        router: Router,
        held: Attachment | None,
        wanted: WantedGateway,
        caller: Caller,
        apply: Apply,
    ) -> Written:
        coming = self.new_note(router.id)
        begun = [coming]
        leaving = [] if held is None else [Note(held.port_id, router.id, Undo.DROP)]
        begun += [note._replace(undo=Undo.LIFT) for note in leaving]
        async with self._settling.begun(begun):
            if held is not None:
                await self.fence(router, held)
            gate = await self.make(wanted, coming, caller)

            def work(tx: Transaction) -> Written:
                for note in leaving:
                    leave(tx, note)
                check_beside(gate.attachment, tx.attachments(router.id))
                tx.attach(gate.attachment)
                tx.settled([coming.port_id])
                return apply(tx, {_INFO: gate.info})

            done = await self._store.write(work, caller.request_id)
        await self._settling.finish(leaving)
        return done

    async def readdress(
        self,
        router: Router,
        held: Attachment,
        info: GatewayInfo,
        wanted: WantedGateway,
        caller: Caller,
        apply: Apply,
    ) -> Written:
        """Let a gateway that stays have other addresses; `held` is its port."""
        await self._check(wanted, caller)
        note = Note(held.port_id, router.id, Undo.REFRESH)
        async with self._settling.begun([note]):
            view = await self._peers.ports.readdress(
                Readdressing(
                    port_id=held.port_id,
                    device_id=router.id,
                    fixed_ips=wanted.fixed_ips or (),
                    trace=caller.request_id,
                )
            )
            gate = await self._gate(wanted, view.port, router.id)

            def work(tx: Transaction) -> Written:
                others = [a for a in tx.attachments(router.id) if a.port_id != held.port_id]
                check_beside(gate.attachment, others)
                tx.attach(gate.attachment)
                tx.settled([note.port_id])
                return apply(tx, with_one(tx.router(router.id, None), info, gate.info))

            return await self._store.write(work, caller.request_id)

    async def _gate(self, wanted: WantedGateway, port: PortRecord, router_id: str) -> Gate:
        subnets = await self._settling.subnets_of(port)
        return Gate(
            attachment(router_id, port, subnets, is_gateway=True), gateway_info(wanted, port)
        )

    async def _check(self, wanted: WantedGateway, caller: Caller) -> None:
        id_, peers = wanted.network_id, self._peers
        if not (await network_for(id_, caller, peers.networks, peers.reach)).external:
            raise BadRouterRequest(f"Network {id_} is not an external network")
        check_gateway(wanted, (await peers.subnets.subnets_of(Ids([id_]))).subnets)

    async def check_policy(
        self, wanted: WantedGateway | None, held: GatewayInfo | None, caller: Caller
    ) -> None:
        """That the router may have the wanted gateway's QoS policy instead of the held one's."""
        new, old = (each.qos_policy_id if each is not None else None for each in (wanted, held))
        await self._policies.check([Wish(seen_by(caller), new, old)])

    async def check_first(
        self, router: Router, held: Attachment, wanted: WantedGateway | None
    ) -> None:
        """That another may take the place of the first gateway, whose NDP proxies are."""
        await proxying.check_changed(router, {_INFO: None}, wanted, self._peers)
        if (await self._peers.floating_ips.proxied_by(Ids([held.port_id]))).ids:
            raise RouterGatewayInUseByNDPProxy(router.id)

    async def fence(self, router: Router, held: Attachment) -> None:
        """Let nothing go by a gateway that is to go; refused while something does."""
        hop = Ids([held.port_id])
        if (await self._peers.floating_ips.fence_hops(hop)).ids:
            if (await self._peers.floating_ips.proxied_by(hop)).ids:
                raise RouterGatewayInUseByNDPProxy(router.id)
            raise RouterExternalGatewayInUseByFloatingIp(router.id, held.network_id)


def leave(tx: Transaction, note: Note) -> None:
    """The router holds the port no more; what remains is to delete it."""
    tx.detach(note.port_id)
    tx.note([note])
