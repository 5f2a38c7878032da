"""Use cases of floating IPs."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from alcor.contracts.held_ports import FLOATING_IP, AddressWish, HeldPort
from alcor.contracts.peers import Done, Ids, InUse
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.routing import FixedAddress, FixedAddresses
from alcor.intent.records import PortRecord
from alcor.managers.elastic_ip.model.floating_ip import (
    Association,
    Held,
    changed,
    check_name,
    floating_ip,
    given,
    plain_changes,
)
from alcor.managers.elastic_ip.model.refusals import (
    BadFloatingIpRequest,
    ExternalIpAddressExhausted,
    FipInUseByPortForwarding,
    PortHasPortForwarding,
)
from alcor.managers.elastic_ip.needs import Note, Peers, Store, Transaction
from alcor.managers.elastic_ip.service.associating import Associating, RouterNow, check_hops
from alcor.managers.elastic_ip.service.internal_ports import InternalPorts
from alcor.managers.elastic_ip.service.settling import Settling
from alcor.managers.elastic_ip.service.showing import networks_of, ports_of, shown
from alcor.managers.elastic_ip.service.writes import written
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.outside import network_for
from alcor.runtime.managing.policy_references import PolicyReferences, Wish
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.addresses import address
from alcor.values.errors import Refusal

_ASSOCIATION = frozenset({"port_id", "fixed_ip_address", "router_id"})


class FloatingIpService:
    """Keeps the contracts ResourceManager and FloatingIpPeer."""

    def __init__(
        self,
        store: Store,
        peers: Peers,
        associating: Associating,
        internal_ports: InternalPorts,
        settling: Settling,
        makers: Makers,
        policies: PolicyReferences,
    ) -> None:
        self._policies = policies
        self._store = store
        self._peers = peers
        self._associating = associating
        self._internal_ports = internal_ports
        self._settling = settling
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        project, query = seen_by(request.caller), request.query
        documents = await self._store.read(lambda tx: tx.page(query, project))
        views = await self._internal_ports.views(ports_of(documents))
        policies = await self._network_policies(documents)
        # The page is read again: asking for the views may have taken some of these back.
        return ListReply(
            await self._store.read(lambda tx: shown(tx, tx.page(query, project), views, policies))
        )

    async def create(self, request: CreateRequest) -> Written:
        """All or none."""
        caller = request.caller
        for item in request.items:
            check_name(item)
        await self._policies.check(
            [Wish(seen_by(caller), i["qos_policy_id"]) for i in request.items]
        )
        policies: dict[str, str] = {}  # of external networks
        wishes = [await self._wishes(item, caller, policies) for item in request.items]
        associations = [
            await self._associating.association(
                item, item["project_id"], item["floating_network_id"], caller
            )
            for item in request.items
        ]
        ids = [item.get("id") or self._makers.new_id() for item in request.items]
        notes = [Note(self._makers.new_id(), id_) for id_ in ids]
        now = self._makers.now()
        async with self._settling.begun(notes):
            held: list[Held] = []
            for i, (item, note) in enumerate(zip(request.items, notes, strict=True)):
                port = await self._port(item, note, wishes[i], caller)
                new = floating_ip(item, note.floatingip_id, port, now)
                held.append(given(new, associations[i]))
            return await self._insert(held, associations, notes, caller, policies)

    async def _insert(
        self,
        held: Sequence[Held],
        associations: Sequence[Association | None],
        notes: Sequence[Note],
        caller: Caller,
        policies: Mapping[str, str],
    ) -> Written:
        self._watch(associations)
        is_given = any(association is not None for association in associations)

        def work(tx: Transaction) -> Written:
            for each, association in zip(held, associations, strict=True):
                _check_association(tx, each, association)
                tx.check_policy(each.ip.qos_policy_id, seen_by(caller) and each.ip.project_id)
            tx.insert(held)
            tx.settled(note.port_id for note in notes)
            documents = tx.documents([each.ip.id for each in held])
            return written(tx, documents if is_given else shown(tx, documents, {}, policies))

        done = await self._store.write(work, caller.request_id)
        return await self._shown(done) if is_given else done

    async def update(self, request: UpdateRequest) -> Written:
        """A body without any field takes the floating IP back, as it always did in Neutron."""
        caller, changes = request.caller, request.changes
        held = await self._store.read(lambda tx: tx.floating_ip(request.id, seen_by(caller)))
        check_revision(request.if_revision, held.ip.revision_number)
        if "qos_policy_id" in changes:
            wish = Wish(seen_by(caller), changes["qos_policy_id"], held.ip.qos_policy_id)
            await self._policies.check([wish])
        moving = not changes or not _ASSOCIATION.isdisjoint(changes)
        association = await self._wanted(held, changes, caller) if moving else None
        self._watch([association])
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            old = tx.floating_ip(request.id, seen_by(caller))
            check_revision(request.if_revision, old.ip.revision_number)
            new = old
            if moving:
                _check_free(tx, old)
                new = given(old, association)
                _check_association(tx, new, association)
            saved = changed(old, new, plain_changes(changes), now)
            if saved.ip.qos_policy_id != old.ip.qos_policy_id:
                tx.check_policy(saved.ip.qos_policy_id, seen_by(caller) and old.ip.project_id)
            if saved is not old:
                tx.save(saved)
            return written(tx, tx.documents([request.id]))

        return await self._shown(await self._store.write(work, caller.request_id))

    async def delete(self, request: DeleteRequest) -> Written:
        leaving: list[Note] = []

        def work(tx: Transaction) -> Written:
            held = tx.floating_ip(request.id, seen_by(request.caller))
            _check_free(tx, held)
            leaving[:] = _removed(tx, [held])
            return written(tx, [])

        done = await self._store.write(work, request.caller.request_id)
        await self._settling.finish(leaving)
        return done

    async def drop_unused(self, request: Ids) -> Done:
        leaving: list[Note] = await self._store.write(
            lambda tx: _removed(tx, tx.unused_on(request.ids))
        )
        await self._settling.finish(leaving)
        return Done()

    async def translated_to(self, request: Ids) -> FixedAddresses:
        given = await self._store.read(lambda tx: tx.given_to(request.ids))
        return FixedAddresses(
            [FixedAddress(held.ip.port_id or "", held.ip.fixed_ip_address or "") for held in given]
        )

    async def fence_hops(self, request: Ids) -> InUse:
        def work(tx: Transaction) -> list[str]:
            used = tx.hops_used(request.ids)
            tx.fence(id_ for id_ in request.ids if id_ not in used)
            return sorted(used)

        return InUse(await self._store.write(work))

    async def proxied_by(self, request: Ids) -> Ids:
        return Ids(sorted(await self._store.read(lambda tx: tx.hops_proxied(request.ids))))

    async def lift_hops(self, request: Ids) -> Done:
        await self._store.write(lambda tx: tx.lift(request.ids))
        return Done()

    async def _wanted(
        self, held: Held, changes: Mapping[str, Any], caller: Caller
    ) -> Association | None:
        values, ip = dict(changes), held.ip
        router_now = None
        if "port_id" not in changes and changes:
            values["port_id"] = ip.port_id
            values.setdefault("fixed_ip_address", ip.fixed_ip_address)
            if ip.router_id is not None and "router_id" not in changes:
                router_now = RouterNow(ip.router_id, bool(held.backing.interface_port_id))
        return await self._associating.association(
            values, ip.project_id, ip.floating_network_id, caller, router_now
        )

    async def _port(
        self, item: Mapping[str, Any], note: Note, wishes: Sequence[AddressWish], caller: Caller
    ) -> PortRecord:
        """The port that holds the address: of the first wish that can be had."""
        network_id = item["floating_network_id"]
        for i, wish in enumerate(wishes):
            try:
                view = await self._peers.ports.make(
                    HeldPort(
                        id=note.port_id,
                        network_id=network_id,
                        device_owner=FLOATING_IP,
                        device_id=note.floatingip_id,
                        fixed_ips=(wish,),
                        trace=caller.request_id,
                    )
                )
            except Refusal as refusal:
                if refusal.type != "IpAddressGenerationFailure":
                    raise
                if i == len(wishes) - 1:
                    raise ExternalIpAddressExhausted(network_id) from None
                continue
            return view.port
        raise ExternalIpAddressExhausted(network_id)

    async def _wishes(
        self, item: Mapping[str, Any], caller: Caller, policies: dict[str, str]
    ) -> list[AddressWish]:
        """The wanted address or subnet; or any IPv4 subnet of the external network with room. The
        QoS policy of that network is put into `policies`."""
        network_id, wanted = item["floating_network_id"], item.get("floating_ip_address")
        network = await network_for(network_id, caller, self._peers.networks, self._peers.reach)
        if not network.external:
            raise BadFloatingIpRequest(f"Network {network_id} is not a valid external network")
        policies[network_id] = network.qos_policy_id
        subnets = (await self._peers.subnets.subnets_of(Ids([network_id]))).subnets
        ipv4 = sorted(subnet.id for subnet in subnets if subnet.ip_version == 4)
        if not ipv4:
            raise BadFloatingIpRequest(f"Network {network_id} does not contain any IPv4 subnet")
        if wanted and address(wanted).version != 4:
            raise BadFloatingIpRequest(f"{wanted} is not an IPv4 address")
        if item.get("subnet_id") or wanted:
            return [AddressWish(subnet_id=item.get("subnet_id") or "", ip_address=wanted or "")]
        return [AddressWish(subnet_id=id_) for id_ in ipv4]

    def _watch(self, associations: Sequence[Association | None]) -> None:
        self._internal_ports.watch(each.port_id for each in associations if each is not None)

    async def _shown(self, done: Written) -> Written:
        documents: list[Raw] = done.items
        views = await self._internal_ports.views(ports_of(documents))
        policies = await self._network_policies(documents)
        items = await self._store.read(lambda tx: shown(tx, documents, views, policies))
        return Written(items, done.revision)

    async def _network_policies(self, documents: Sequence[Raw]) -> dict[str, str]:
        """The QoS policies of the external networks of floating IPs, by network."""
        if not documents:
            return {}
        found = (await self._peers.networks.networks(Ids(networks_of(documents)))).networks
        return {each.id: each.qos_policy_id for each in found}


def _removed(tx: Transaction, going: Sequence[Held]) -> list[Note]:
    """Remove floating IPs; what is left to do about their ports."""
    leaving = [Note(each.backing.port_id, each.ip.id) for each in going]
    tx.note(leaving)
    for each in going:
        tx.remove(each.ip.id)
    return leaving


def _check_free(tx: Transaction, held: Held) -> None:
    if tx.forwardings_of([held.ip.id]):
        raise FipInUseByPortForwarding(held.ip.id)


def _check_association(tx: Transaction, held: Held, association: Association | None) -> None:
    if association is None:
        return
    ip = held.ip
    check_hops(tx, association.path, ip.floating_network_id, association.port_id)
    for each in tx.forwardings_to([association.port_id]):
        if each.shown.internal_ip_address == association.fixed_ip_address:
            raise PortHasPortForwarding(
                ip.floating_ip_address, ip.id, association.port_id, association.fixed_ip_address
            )
