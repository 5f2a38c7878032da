"""What can be done with networks: one method per use case."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from alcor.contracts.peers import Done, Ids, Networks, NetworkSubnets, SubnetSequence, ZoneHints
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.sharing import (
    ANYBODY,
    AS_EXTERNAL,
    AS_SHARED,
    Project,
    ReachableNetworks,
    SharingPolicy,
)
from alcor.intent.follow import id_of, record_of
from alcor.intent.heard_up_to import HeardUpTo
from alcor.intent.records import SubnetPoolRecord, SubnetRecord
from alcor.keyed_log.log import Entry
from alcor.managers.network import intent
from alcor.managers.network.model.network import (
    ExternalNetworkInUse,
    InvalidSharedSetting,
    Limits,
    Network,
    NetworkInUse,
    changed,
    network,
)
from alcor.managers.network.model.network_segment import further
from alcor.managers.network.model.segment import segments
from alcor.managers.network.needs import Draft, Peers, Saved, Store
from alcor.managers.network.subnets_seen import SubnetSeen
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.policy_references import PolicyReferences, Wish
from alcor.runtime.managing.sharing_service import Sharing
from alcor.runtime.managing.unfinished import Unfinished
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import viewer_of, wildcard
from alcor.values.revision import Revision

PORTS_IN_USE = "There are one or more ports still in use on the network"
shown_s_max = 1.0  # an answer waits so long until networks show what it says


class NetworkService:
    """Keeps ResourceManager, NetworkPeer, SubnetShower, ReachPeer; follows the subnets' records."""

    def __init__(
        self,
        store: Store,
        peers: Peers,
        limits: Limits,
        makers: Makers,
        sharing: Sharing,
        qos: PolicyReferences,
    ) -> None:
        self._qos = qos
        self._sharing = sharing
        self._store = store
        self._ports = peers.ports
        self._subnets = peers.subnets
        self._floating_ips = peers.floating_ips
        self._nodes = peers.nodes
        self._limits = limits
        self._new_id, self._now = makers
        self._subnets_heard = HeardUpTo()
        self.unfinished = Unfinished()

    async def list_page(self, request: ListRequest) -> ListReply:
        caller = request.caller
        viewer = viewer_of(caller)
        return ListReply(await self._store.page(request.query, viewer))

    async def create(self, request: CreateRequest) -> Written:
        now = self._now()
        items = await self._with_policies(request)
        if hints := {name for each in items for name in each["availability_zone_hints"]}:
            await self._nodes.check_zones(ZoneHints(tuple(sorted(hints))))
        drafts = [self._draft(values, now) for values in items]
        await self._forget_namesakes([v["id"] for v in request.items if "id" in v])
        policies = [each for draft in drafts for each in self._policies(draft.network)]
        caller = request.caller
        return _written(
            await self._store.insert(drafts, policies, seen_by(caller), caller.request_id)
        )

    def _draft(self, values: Mapping[str, Any], now: str) -> Draft:
        """The network that a checked body asks for, with its further segments."""
        limits = self._limits
        own, *others = segments(values, limits.vni_min, limits.vni_max, limits.tunnel_type)
        new = network(values, own, values.get("id") or self._new_id(), now, limits)
        return Draft(new, [further(each, new.id, self._new_id(), now, {}) for each in others])

    async def _with_policies(self, request: CreateRequest) -> list[dict[str, Any]]:
        """The items with the QoS policies of their projects, where they name none."""
        viewer = seen_by(request.caller)
        plain = [item["project_id"] for item in request.items if not item["qos_policy_id"]]
        default = await self._qos.defaults(plain) if plain else {}
        await self._qos.check([Wish(viewer, i["qos_policy_id"]) for i in request.items])
        return [
            item
            if item["qos_policy_id"]
            else item | {"qos_policy_id": default.get(item["project_id"])}
            for item in request.items
        ]

    async def update(self, request: UpdateRequest) -> Written:
        now = self._now()

        def decide(old: Network) -> Network:
            check_revision(request.if_revision, old.revision_number)
            return changed(old, request.changes, now, self._limits)

        caller = request.caller
        if "qos_policy_id" in request.changes:
            held = await self._store.network(request.id, seen_by(caller))
            wanted = request.changes["qos_policy_id"]
            await self._qos.check([Wish(seen_by(caller), wanted, held.qos_policy_id)])
        if not {"shared", "router:external"} & request.changes.keys():
            return await self._change(request.id, decide, caller)
        refusals = {
            AS_SHARED: InvalidSharedSetting(request.id),
            AS_EXTERNAL: ExternalNetworkInUse(request.id),
        }
        after = partial(_after, request.changes)
        async with self._sharing.changing(request.id, after, refusals):
            return await self._change(request.id, decide, caller)

    async def _change(
        self, id_: str, decide: Callable[[Network], Network], caller: Caller
    ) -> Written:
        project, trace = seen_by(caller), caller.request_id
        return _written(await self._store.change(id_, decide, project, trace, self._new_id))

    def _policies(self, new: Network) -> Iterator[SharingPolicy]:
        for action, on in ((AS_SHARED, new.shared), (AS_EXTERNAL, new.external)):
            if on:
                yield wildcard("network", new.id, action, new.project_id, self._new_id())

    async def delete(self, request: DeleteRequest) -> Written:
        """Fence whoever may hold children, then delete; refused and undone when one is in use."""
        caller = request.caller
        async with self.unfinished.begun(request.id):
            marked = await self._store.mark(request.id, seen_by(caller))
            sequence = await self._finish_delete(marked, caller.request_id)
        return Written([], _revision(sequence))

    async def networks(self, request: Ids) -> Networks:
        found = await self._store.networks(request.ids)
        return Networks([intent.record(each, reach) for each, reach in found])

    async def reachable(self, request: Project) -> ReachableNetworks:
        return ReachableNetworks(*await self._store.reachable(request.id))

    async def recover(self) -> None:
        """Finish the deletions that were cut short; those of networks in use are taken back."""
        await self._sharing.recover()
        for id_ in [each.id for each in await self._store.marked()]:
            with suppress(NetworkInUse):
                async with self.unfinished.begun(id_):
                    await self._finish_marked(id_)

    async def replace_subnets(self, entries: Sequence[Entry]) -> None:
        """The log's snapshot of all subnets."""
        seen = _subnets(entries).items()
        await self._store.replace_subnets({id_: each for id_, each in seen if each is not None})
        self._subnets_heard.heard(entries)

    async def apply_subnets(self, entries: Sequence[Entry]) -> None:
        """Changes of subnets, from the log."""
        await self._store.apply_subnets(_subnets(entries))
        self._subnets_heard.heard(entries)

    async def subnets_shown(self, request: SubnetSequence) -> Done:
        await self._subnets_heard.wait(request.sequence, shown_s_max)
        return Done()

    async def replace_pools(self, entries: Sequence[Entry]) -> None:
        """The log's snapshot of all subnet pools."""
        await self._store.replace_scopes(_scopes(entries))

    async def apply_pools(self, entries: Sequence[Entry]) -> None:
        """Changes of subnet pools, from the log."""
        await self._store.apply_scopes(_scopes(entries))

    async def _finish_marked(self, id_: str) -> None:
        for marked in await self._store.marked():
            if marked.id == id_:
                await self._finish_delete(marked, "")

    async def _finish_delete(self, marked: Network, trace: str) -> int:
        ids = Ids([marked.id])
        try:
            in_use = await self._ports.fence_networks(ids)
            if in_use.ids and marked.external:
                await self._floating_ips.drop_unused(ids)
                in_use = await self._ports.fence_networks(ids)
            if in_use.ids:
                named = f": {', '.join(in_use.by)}" if in_use.by else ""
                raise NetworkInUse(marked.id, f"{PORTS_IN_USE}{named}.")
            going = NetworkSubnets(marked.id, marked.project_id, trace)
            await self._subnets.drop_network(going)
        except BaseException:
            # Not a fault to swallow: whatever went wrong, the network stays, unfenced.
            await self._take_back(ids)
            raise
        return await self._store.remove(marked.id, trace)

    async def _take_back(self, ids: Ids) -> None:
        await self._subnets.lift(ids)
        await self._ports.lift(ids)
        await self._store.unmark(ids.ids[0])

    async def _forget_namesakes(self, ids: list[str]) -> None:
        """A client may give the id of a network long gone: its fences must not bind the new one."""
        living = {each.id for each, _ in await self._store.networks(ids)} if ids else set()
        if fresh := [id_ for id_ in ids if id_ not in living]:
            await self._subnets.lift(Ids(fresh))
            await self._ports.lift(Ids(fresh))
            await self._sharing.free(fresh)


def _after(changes: Mapping[str, Any], policies: list[SharingPolicy]) -> list[SharingPolicy]:
    """What is left of a network's policies when it is no longer shared with all, or external."""
    private = changes.get("shared") is False
    internal = changes.get("router:external") is False
    return [
        each
        for each in policies
        if not (private and (each.action, each.target_tenant) == (AS_SHARED, ANYBODY))
        and not (internal and each.action == AS_EXTERNAL)
    ]


def _revision(sequence: int) -> str:
    return str(Revision("network", sequence))


def _written(saved: Saved) -> Written:
    return Written(saved.documents, _revision(saved.sequence))


def _subnets(entries: Sequence[Entry]) -> dict[str, SubnetSeen | None]:
    """What is known of each subnet; None when it is gone."""
    found: dict[str, SubnetSeen | None] = {}
    for entry in entries:
        record = record_of(entry)
        found[id_of(entry)] = (
            SubnetSeen(
                record.network_id,
                record.ip_version,
                entry.revision,
                record.subnetpool_id,
                record.segment_id,
            )
            if isinstance(record, SubnetRecord)
            else None
        )
    return found


def _scopes(entries: Sequence[Entry]) -> dict[str, str]:
    """The address scope of each pool; empty: none, or the pool is gone."""
    found: dict[str, str] = {}
    for entry in entries:
        record = record_of(entry)
        found[id_of(entry)] = (
            record.address_scope_id if isinstance(record, SubnetPoolRecord) else ""
        )
    return found
