"""Use cases of routers."""

from collections.abc import Mapping
from typing import Any

from alcor.contracts.flavors import FlavorWish
from alcor.contracts.peers import Done, Ids, InUse, ZoneHints
from alcor.contracts.resources import (
    ActRequest,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.routing import PathRequest, Paths, ProxyingRouter, ProxyingRouters
from alcor.intent.records import SubnetRecord
from alcor.managers.router.model.gateway import WantedGateway, wanted_gateway
from alcor.managers.router.model.refusals import RouterInUse
from alcor.managers.router.model.router import Router, changed, plain_changes, router
from alcor.managers.router.model.routes import (
    check_routes,
    routes_of,
    with_routes,
    without_routes,
)
from alcor.managers.router.needs import Note, Peers, Store, Transaction, Undo
from alcor.managers.router.service import proxying
from alcor.managers.router.service.gateways import Gate, Gateways
from alcor.managers.router.service.interfaces import Interfaces
from alcor.managers.router.service.settling import Settling
from alcor.managers.router.service.several_gateways import SeveralGateways
from alcor.managers.router.service.writes import written
from alcor.resource.revisions import check_revision
from alcor.runtime.locks import Locks
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.usage import Limit

L3 = "L3_ROUTER_NAT"  # what routers' flavors are for
_INFO = "external_gateway_info"


class RouterService:
    """Keeps the contracts ActingManager and RouterPeer."""

    def __init__(
        self,
        store: Store,
        gateways: Gateways,
        several: SeveralGateways,
        interfaces: Interfaces,
        settling: Settling,
        peers: Peers,
        makers: Makers,
        quota: Limit,
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._several = several
        self._interfaces = interfaces
        self._settling = settling
        self._peers = peers
        self._makers = makers
        self._quota = quota
        self._locks = Locks()

    async def list_page(self, request: ListRequest) -> ListReply:
        project, query = seen_by(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.page(query, project)))

    async def create(self, request: CreateRequest) -> Written:
        """All or none, with their gateways."""
        now, trace = self._makers.now(), request.caller.request_id
        for flavor_id in sorted({v["flavor_id"] for v in request.items} - {None}):
            await self._peers.flavors.check(FlavorWish(flavor_id, L3))
        if hints := {name for v in request.items for name in v["availability_zone_hints"]}:
            await self._peers.nodes.check_zones(ZoneHints(tuple(sorted(hints))))
        new = [router(v, v.get("id") or self._makers.new_id(), now) for v in request.items]
        wanted = {
            each.id: gateway
            for each, values in zip(new, request.items, strict=True)
            if (gateway := wanted_gateway(values[_INFO])) is not None
        }
        for gateway in wanted.values():
            await self._gateways.check_policy(gateway, None, request.caller)
        for each in new:
            await proxying.check_new(each, wanted.get(each.id), self._peers)
        if not wanted:
            return await self._store.write(lambda tx: written(tx, tx.insert(new)), trace)
        return await self._create_with_gateways(new, wanted, request)

    async def _create_with_gateways(
        self, new: list[Router], wanted: Mapping[str, WantedGateway], request: CreateRequest
    ) -> Written:
        notes = {id_: self._gateways.new_note(id_) for id_ in wanted}
        async with self._settling.begun(list(notes.values())):
            gates: dict[str, Gate] = {
                id_: await self._gateways.make(gateway, notes[id_], request.caller)
                for id_, gateway in wanted.items()
            }
            routers = [
                changed(each, {_INFO: gates[each.id].info}, each.updated_at)
                if each.id in gates
                else each
                for each in new
            ]

            def work(tx: Transaction) -> Written:
                for gate in gates.values():
                    tx.attach(gate.attachment)
                for each in routers:
                    tx.check_policy(each.qos_policy_id, seen_by(request.caller) and each.project_id)
                tx.settled(note.port_id for note in notes.values())
                return written(tx, tx.insert(routers))

            return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def apply(tx: Transaction, values: Mapping[str, Any]) -> Written:
            old = tx.router(request.id, seen_by(request.caller))
            check_revision(request.if_revision, old.revision_number)
            new = dict(values) | plain_changes(request.changes)
            if _INFO in new and new[_INFO] is None and not old.gateways[1:]:
                new["enable_ndp_proxy"] = False
            if "routes" in request.changes:
                new["routes"] = routes_of(request.changes["routes"])
                attachments = tx.attachments(old.id)
                check_routes(new["routes"], attachments, self._most_routes(old))
            saved = changed(old, new, now)
            if saved.qos_policy_id != old.qos_policy_id:
                tx.check_policy(saved.qos_policy_id, seen_by(request.caller) and old.project_id)
            return _saved(tx, old, saved)

        async with self._locks.of(request.id):
            project = seen_by(request.caller)
            held = await self._store.read(lambda tx: tx.router(request.id, project))
            check_revision(request.if_revision, held.revision_number)
            info = held.external_gateway_info
            wanted = wanted_gateway(request.changes.get(_INFO), info)
            stays = WantedGateway(info.network_id, True, None) if info is not None else None
            will = wanted if _INFO in request.changes else stays
            await proxying.check_changed(held, request.changes, will, self._peers)
            if _INFO not in request.changes:
                trace = request.caller.request_id
                return await self._store.write(lambda tx: apply(tx, {}), trace)
            return await self._gateways.change(held, wanted, request.caller, apply)

    async def delete(self, request: DeleteRequest) -> Written:
        """Refused while it has interfaces; its gateway goes with it."""
        leaving: list[Note] = []

        def work(tx: Transaction) -> Written:
            held = tx.router(request.id, seen_by(request.caller))
            attachments = tx.attachments(held.id)
            if interfaces := [each.port_id for each in attachments if not each.is_gateway]:
                raise RouterInUse(held.id, interfaces)
            leaving[:] = [Note(each.port_id, held.id, Undo.DROP) for each in attachments]
            tx.note(leaving)
            tx.remove(held.id)
            return written(tx, [])

        async with self._locks.of(request.id):
            done = await self._store.write(work, request.caller.request_id)
        await self._settling.finish(leaving)
        return done

    async def act(self, request: ActRequest) -> Written:
        async with self._locks.of(request.id):
            match request.action:
                case "add_router_interface":
                    return await self._interfaces.add(request)
                case "remove_router_interface":
                    return await self._interfaces.remove(request)
                case "add_external_gateways":
                    return await self._several.add(request)
                case "update_external_gateways":
                    return await self._several.update(request)
                case "remove_external_gateways":
                    return await self._several.remove(request)
            return await self._change_routes(request)

    async def _change_routes(self, request: ActRequest) -> Written:
        """Add some routes, or remove some, whatever else is there."""
        now = self._makers.now()
        some = routes_of(request.arguments["routes"])
        adding = request.action == "add_extraroutes"

        def work(tx: Transaction) -> Written:
            old = tx.router(request.id, seen_by(request.caller))
            routes = (with_routes if adding else without_routes)(old.routes, some)
            if adding:
                check_routes(routes, tx.attachments(old.id), self._most_routes(old))
            return _saved(tx, old, changed(old, {"routes": routes}, now))

        return await self._store.write(work, request.caller.request_id)

    def _most_routes(self, router: Router) -> int:
        return self._quota("router_route", router.project_id)

    async def proxying(self, request: Ids) -> ProxyingRouters:
        found = await self._store.read(lambda tx: tx.find(request.ids))
        return ProxyingRouters([_proxying(each) for each in found])

    async def fence_flavors(self, request: Ids) -> InUse:
        return InUse(await self._store.write(lambda tx: tx.fence_flavors(request.ids)))

    async def lift_flavors(self, request: Ids) -> Done:
        await self._store.write(lambda tx: tx.lift_flavors(request.ids))
        return Done()

    async def extend_gateway(self, router_id: str, subnet: SubnetRecord) -> None:
        """Give its gateway an address of a subnet, unless it has one of the family."""
        async with self._locks.of(router_id):
            await self._gateways.extend(router_id, subnet)

    async def paths(self, request: PathRequest) -> Paths:
        return Paths(await self._store.read(lambda tx: tx.paths(request)))


def _proxying(router: Router) -> ProxyingRouter:
    info = router.external_gateway_info
    return ProxyingRouter(
        id=router.id,
        project_id=router.project_id,
        external_network_id=info.network_id if info is not None else "",
        ndp_proxy=router.enable_ndp_proxy,
    )


def _saved(tx: Transaction, old: Router, new: Router) -> Written:
    return written(tx, [tx.document(old) if new is old else tx.save(new)])
