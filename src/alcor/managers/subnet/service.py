"""What can be done with subnets: one method per use case.

The IP manager learns of a subnet before anybody can see it, and forgets it after it is gone. In
between the subnet is unsettled; whatever is cut short is settled by what the row then says.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from alcor.contracts.held_ports import HELD_OWNERS, PortAddress
from alcor.contracts.peers import (
    Done,
    Ids,
    InUse,
    NetworkSubnets,
    Pools,
    SegmentOf,
    Subnets,
    SubnetSequence,
)
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.segments import SegmentPlace, SegmentPlaces
from alcor.contracts.sharing import Project, ReachableNetworks
from alcor.contracts.subnetpools import (
    Adopted,
    AdoptRequest,
    Onboarded,
    OnboardRequest,
    PrefixRequest,
)
from alcor.intent.follow import record_of
from alcor.intent.records import NetworkRecord
from alcor.keyed_log.log import Entry
from alcor.managers.subnet import intent
from alcor.managers.subnet.model import (
    GatewayIpInUse,
    Subnet,
    SubnetInUse,
    changed,
    granted,
    of_pool,
    on_network,
    prefix_wish,
    subnet,
)
from alcor.managers.subnet.needs import (
    KnownNetworks,
    Peers,
    Saved,
    Store,
)
from alcor.managers.subnet.segments import associated, of_segment
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.unfinished import Unfinished
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.missing import NetworkNotFound
from alcor.values.mtu import check_mtu
from alcor.values.revision import Revision, revision


class SubnetService:
    """Keeps the contracts ResourceManager and SubnetPeer."""

    def __init__(
        self,
        store: Store,
        known_networks: KnownNetworks,
        peers: Peers,
        makers: Makers,
    ) -> None:
        self._store = store
        self._known_networks = known_networks
        self._networks = peers.networks
        self._segments = peers.segments
        self._ports = peers.ports
        self._ips = peers.ips
        self._held_ports = peers.held_ports
        self._pools = peers.pools
        self._reach = peers.reach
        self._shower = peers.shower
        self._new_id, self._now = makers
        self.unfinished = Unfinished()

    async def list_page(self, request: ListRequest) -> ListReply:
        viewer, query = seen_by(request.caller), request.query
        reach = ReachableNetworks([], [])
        if viewer is not None or any(each.field == "shared" for each in query.filters):
            reach = await self._reach.reachable(Project(request.caller.project_id))
        return ListReply(await self._store.page(query, viewer, reach.shared, reach.external))

    async def create(self, request: CreateRequest) -> Written:
        return await self._shown(await self._create(request))

    async def _create(self, request: CreateRequest) -> Written:
        now = self._now()
        ids = [values.get("id") or self._new_id() for values in request.items]
        wishes = [
            wish
            for values, id_ in zip(request.items, ids, strict=True)
            if (wish := prefix_wish(values, id_)) is not None
        ]
        if not wishes:
            new = [subnet(v, i, now) for v, i in zip(request.items, ids, strict=True)]
            return await self._save_new(request, new)
        async with self._settling(ids):
            # What is allocated for a subnet that then is not saved is given back by settling it.
            asked = PrefixRequest(wishes, seen_by(request.caller))
            grants = (await self._pools.allocate(asked)).grants
            found = {w.subnet_id: g for w, g in zip(wishes, grants, strict=True)}
            new = [
                subnet(granted(v, found.get(i)), i, now)
                for v, i in zip(request.items, ids, strict=True)
            ]
            return await self._save_new(request, new, locked=True)

    async def _save_new(
        self, request: CreateRequest, new: Sequence[Subnet], *, locked: bool = False
    ) -> Written:
        networks = await self._check_networks(new, seen_by(request.caller))
        new = [on_network(each, networks[each.network_id].external) for each in new]
        new = await self._placed(new)
        landlords = {
            each.id: owner
            for each in new
            if (owner := networks[each.network_id].project_id) != each.project_id
        }
        async with self._settling([each.id for each in new], new, locked=locked):
            if given := [values["id"] for values in request.items if "id" in values]:
                await self._ports.lift(Ids(given))  # of namesakes long gone
            await self._ips.save_pools(Pools([intent.pool(each) for each in new]))
            return _written(await self._store.insert(new, landlords, request.caller.request_id))

    async def _placed(self, new: Sequence[Subnet]) -> list[Subnet]:
        """The subnets with what they must know of the segments that they name, if those can be."""
        named = sorted({each.segment_id for each in new if each.segment_id})
        asked = await self._segments.segments(Ids(named)) if named else SegmentPlaces([])
        places = {each.id: each for each in asked.segments}
        return [
            each if not each.segment_id else of_segment(each, places.get(each.segment_id))
            for each in new
        ]

    async def update(self, request: UpdateRequest) -> Written:
        return await self._shown(await self._update(request))

    async def _update(self, request: UpdateRequest) -> Written:
        caller = request.caller
        now = self._now()

        def decide(old: Subnet) -> Subnet:
            check_revision(request.if_revision, old.revision_number)
            return associated(changed(old, request.changes, now), request.changes, place, now)

        old = await self._store.subnet(request.id, seen_by(caller))
        place = await self._place_of(request.changes.get("segment_id"))
        new = decide(old)
        if intent.pool(new) == intent.pool(old):
            return _written(await self._store.change(request.id, decide, caller.request_id))
        return await self._update_pool(request.id, decide, caller)

    async def _place_of(self, segment_id: str | None) -> SegmentPlace | None:
        """The segment that a change names, if there is such a one."""
        found = (await self._segments.segments(Ids([segment_id]))).segments if segment_id else []
        return found[0] if found else None

    async def _update_pool(
        self, id_: str, decide: Callable[[Subnet], Subnet], caller: Caller
    ) -> Written:
        async with self._settling([id_]):
            old = await self._store.subnet(id_, seen_by(caller))
            new = decide(old)
            if new.gateway_ip != old.gateway_ip:
                await self._check_gateway_unused(old)
            # Both gateways are kept until one of them is the row's, so that either can be.
            kept = intent.pool(new, old.gateway_ip)
            await self._ips.save_pools(Pools([kept]))
            saved = await self._store.change(id_, decide, caller.request_id)
            await self._settle([id_])
            return _written(saved)

    async def _check_gateway_unused(self, old: Subnet) -> None:
        """A router that has the gateway's address as its own would be no gateway any more."""
        if old.gateway_ip is None:
            return
        place = PortAddress(old.id, old.gateway_ip)
        for view in (await self._held_ports.at(place)).ports:
            if view.port.device_owner in HELD_OWNERS:
                raise GatewayIpInUse(old.gateway_ip, view.port.id)

    async def delete(self, request: DeleteRequest) -> Written:
        """Fence the port manager against new addresses, then delete; refused when some are used."""
        caller = request.caller
        held = await self._store.subnet(request.id, seen_by(caller))
        async with self._settling([request.id]):
            fence = self._ports.vacate_subnets if held.automatic else self._ports.fence_subnets
            if (await fence(Ids([request.id]))).ids:
                raise SubnetInUse(request.id)
            sequence = await self._store.remove(request.id, caller.request_id)
            await self._settle([request.id])
        return await self._shown(Written([], _revision(sequence)))

    async def _shown(self, written: Written) -> Written:
        """Who asks for the network next sees there what was answered here."""
        await self._shower.subnets_shown(SubnetSequence(revision(written.revision).sequence))
        return written

    async def subnets_of(self, request: Ids) -> Subnets:
        found = await self._store.of_networks(request.ids)
        return Subnets([intent.record(each) for each in found])

    async def subnets(self, request: Ids) -> Subnets:
        found = await self._store.of_ids(request.ids)
        return Subnets([intent.record(each) for each in found])

    async def drop_network(self, request: NetworkSubnets) -> Done:
        async with self.unfinished.begun(request.network_id):
            gone = await self._store.remove_of_network(request.network_id, request.trace)
            await self._settle(gone)
        return Done()

    async def fence_segment(self, request: SegmentOf) -> InUse:
        is_fenced = await self._store.fence_segment(request.network_id, request.id)
        return InUse([] if is_fenced else [request.id])

    async def lift(self, request: Ids) -> Done:
        await self._store.lift(request.ids)
        return Done()

    async def onboard(self, request: OnboardRequest) -> Onboarded:
        """The pool manager takes the prefixes, and what it says then is made the rows'."""
        await self._check_own(request.network_id, request.viewer)
        ids = [each.id for each in await self._store.of_networks([request.network_id])]
        async with self._settling(ids):
            found = await self._store.of_ids(ids)
            found = [each for each in found if each.ip_version == request.ip_version]
            coming = [Adopted(each.id, each.project_id, each.cidr) for each in found]
            await self._pools.adopt(AdoptRequest(request.pool_id, coming, request.viewer))
            sequence = await self._settle(ids, request.trace)
        shown = await self._shown(Written([], _revision(sequence)))
        return Onboarded(coming, shown.revision)

    async def take_networks(self, entries: Sequence[Entry]) -> None:
        """Networks, as the log tells: show in their subnets whether they are external."""
        records = [record for entry in entries if (record := record_of(entry)) is not None]
        await self._store.show_networks(
            {each.id: each.external for each in records if isinstance(each, NetworkRecord)}
        )

    async def recover(self) -> None:
        """Settle what was left unsettled."""
        for id_ in await self._store.unsettled():
            async with self.unfinished.begun(id_):
                await self._settle([id_])

    @asynccontextmanager
    async def _settling(
        self, ids: Sequence[str], new: Sequence[Subnet] = (), *, locked: bool = False
    ) -> AsyncIterator[None]:
        """Work on subnets alone; when it fails, peers are told again what the rows say.

        `locked`: the caller does so already.
        """
        async with self.unfinished.begun(*(() if locked else ids)):
            await self._store.unsettle(ids, new)
            try:
                yield
            except BaseException:
                await asyncio.shield(self._settle(ids))
                raise

    async def _settle(self, ids: Iterable[str], trace: str = "") -> int:
        """Make peers hold what the rows say: pools of those that are, nothing of those gone.

        Which subnet pool a prefix is of is that manager's to say. The sequence of what it changed.
        """
        sequence = 0
        wanted = list(ids)
        held = await self._store.of_ids(wanted)
        gone = sorted({*wanted} - {each.id for each in held})
        if held:
            await self._ips.save_pools(Pools([intent.pool(each) for each in held]))
            await self._ports.lift(Ids([each.id for each in held]))
            sequence = await self._follow_pools(held, trace)
        if gone:
            await self._ips.drop_pools(Ids(gone))
            await self._pools.release(Ids(gone))
        if held or gone:
            await self._store.settled([*(each.id for each in held), *gone])
        return sequence

    async def _follow_pools(self, held: Sequence[Subnet], trace: str) -> int:
        """Show in subnets which pools they are of; the sequence of the last that has changed."""
        answer = await self._pools.holdings(Ids([each.id for each in held]))
        pool_by_subnet = {each.subnet_id: each.pool_id for each in answer.holdings}
        now, sequence = self._now(), 0
        for each in held:
            pool_id = pool_by_subnet.get(each.id, each.subnetpool_id)
            if pool_id != each.subnetpool_id:
                decide = partial(of_pool, pool_id=pool_id, now=now)
                sequence = (await self._store.change(each.id, decide, trace)).sequence
        return sequence

    async def _check_own(self, network_id: str, project: str | None) -> None:
        """That there is such a network, and that it is the project's."""
        network = self._known_networks.get(network_id)
        if network is None:
            asked = (await self._networks.networks(Ids([network_id]))).networks
            network = asked[0] if asked else None
        if network is None or project not in (None, network.project_id):
            raise NetworkNotFound(network_id)

    async def _check_networks(
        self, new: Sequence[Subnet], project: str | None
    ) -> dict[str, NetworkRecord]:
        """That the networks are there, theirs, and can have these: by our copy, or by asking."""
        ids = {each.network_id for each in new}
        missing = [id_ for id_ in ids if self._known_networks.get(id_) is None]
        asked = (await self._networks.networks(Ids(missing))).networks if missing else []
        record_by_id = {each.id: each for each in asked}
        for id_ in ids:
            network = record_by_id.get(id_) or self._known_networks.get(id_)
            if network is None or project not in (None, network.project_id):
                raise NetworkNotFound(id_)
            record_by_id[id_] = network
        for each in new:
            check_mtu(each.network_id, record_by_id[each.network_id].mtu, each.ip_version)
        return record_by_id


def _revision(sequence: int) -> str:
    return str(Revision("subnet", sequence))


def _written(saved: Saved) -> Written:
    return Written(saved.documents, _revision(saved.sequence))
