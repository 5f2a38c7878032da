"""Attach routers to subnets, and detach them.

Source: neutron.db.l3_db (add_router_interface, remove_router_interface).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from alcor.contracts.held_ports import (
    ROUTER_INTERFACE,
    AddressWish,
    Claim,
    HeldPort,
    PortView,
    Readdressing,
)
from alcor.contracts.peers import Ids
from alcor.contracts.resources import ActRequest, Written
from alcor.contracts.sharing import allows
from alcor.intent.records import SubnetRecord
from alcor.managers.router.model.attachments import (
    Attachment,
    Place,
    attachment,
    check_advertised,
    check_beside,
    check_stranger,
    check_subnet,
    v6_port_on,
    wishes_of,
)
from alcor.managers.router.model.refusals import (
    BadRouterRequest,
    RouterInterfaceInUseByFloatingIP,
    RouterInterfaceInUseByNDPProxy,
    RouterInterfaceInUseByRoute,
    RouterInterfaceNotFound,
    RouterInterfaceNotFoundForSubnet,
    SubnetMismatchForPort,
)
from alcor.managers.router.model.router import Router
from alcor.managers.router.model.routes import need_place
from alcor.managers.router.needs import Note, Peers, Store, Transaction, Undo
from alcor.managers.router.service.settling import Settling
from alcor.managers.router.service.writes import written
from alcor.resource.revisions import touched
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.errors import Conflict
from alcor.values.missing import PortNotFound, SubnetNotFound


class Held(NamedTuple):
    """A router, and all that it is attached to."""

    router: Router
    attachments: Sequence[Attachment]


class Interfaces:
    """The sagas of interfaces; the caller holds the router's lock."""

    def __init__(self, store: Store, peers: Peers, settling: Settling, makers: Makers) -> None:
        self._store = store
        self._peers = peers
        self._settling = settling
        self._makers = makers

    async def add(self, request: ActRequest) -> Written:
        """By a subnet, whose gateway the router becomes; or by a port that nobody uses."""
        held = await self._held(request)
        subnet_id, port_id = _named(request.arguments)
        if subnet_id and port_id:
            raise BadRouterRequest("Cannot specify both subnet-id and port-id")
        if port_id:
            return await self._add_port(held, port_id, request)
        subnet = await self._subnet(subnet_id, request)
        if not subnet.gateway_ip:
            raise BadRouterRequest("Subnet for router interface must have a gateway IP")
        check_advertised(subnet)
        check_stranger(subnet, subnet.gateway_ip, seen_by(request.caller))
        check_subnet(subnet, held.attachments)
        other = v6_port_on(subnet.network_id, held.attachments) if subnet.ip_version == 6 else None
        if other is not None:
            return await self._extend(held, other, subnet, request)
        return await self._add_subnet(held, subnet, request)

    async def remove(self, request: ActRequest) -> Written:
        """By port, by subnet, or by both when they belong together."""
        held = await self._held(request)
        subnet_id, port_id = _named(request.arguments)
        going = await self._going(held, subnet_id, port_id, request)
        places = [p for p in going.places if port_id or p.subnet_id == subnet_id]
        if len(places) < len(going.places):
            return await self._reduce(held, going, places[0], request)
        return await self._detach(held, going, request)

    async def _add_subnet(self, held: Held, subnet: SubnetRecord, request: ActRequest) -> Written:
        note = Note(self._makers.new_id(), held.router.id, Undo.DROP)
        wish = AddressWish(subnet_id=subnet.id, ip_address=subnet.gateway_ip or "")
        async with self._settling.begun([note]):
            view = await self._peers.ports.make(
                HeldPort(
                    id=note.port_id,
                    network_id=subnet.network_id,
                    project_id=held.router.project_id,
                    device_owner=ROUTER_INTERFACE,
                    device_id=held.router.id,
                    fixed_ips=(wish,),
                    trace=request.caller.request_id,
                )
            )
            return await self._attach(view, subnet.id, request, {subnet.id: subnet})

    async def _add_port(self, held: Held, port_id: str, request: ActRequest) -> Written:
        project = seen_by(request.caller)
        views = (await self._peers.ports.views(Ids([port_id]))).ports
        if not views or project not in (None, views[0].port.project_id):
            raise PortNotFound(port_id)
        port = views[0].port
        if port.device_id:
            raise Conflict(
                f"Unable to complete operation on port {port_id} for network {port.network_id}. "
                f"Port already has an attached device {port.device_id}.",
                type="PortInUse",
            )
        if not port.fixed_ips:
            raise BadRouterRequest("Router port must have at least one fixed IP")
        subnets = await self._settling.subnets_of(port)
        for fixed in port.fixed_ips:
            if (subnet := subnets.get(fixed.subnet_id)) is not None:
                check_advertised(subnet)
                check_stranger(subnet, fixed.ip_address, project)
        check_beside(attachment(held.router.id, port, subnets, is_gateway=False), held.attachments)
        note = Note(port_id, held.router.id, Undo.GIVE_BACK)
        async with self._settling.begun([note]):
            view = await self._peers.ports.claim(_claim(note, request))
            return await self._attach(view, "", request)

    async def _extend(
        self, held: Held, other: Attachment, subnet: SubnetRecord, request: ActRequest
    ) -> Written:
        """One port has all IPv6 subnets of its network."""
        place = Place(subnet.id, subnet.cidr, subnet.gateway_ip or "")
        wishes = wishes_of([*other.places, place])
        return await self._readdress(held, other, wishes, subnet.id, request)

    async def _reduce(
        self, held: Held, going: Attachment, place: Place, request: ActRequest
    ) -> Written:
        """The port stays, for the other subnets that it is on."""
        _check_routes(held.router, [place])
        kept = wishes_of(p for p in going.places if p.subnet_id != place.subnet_id)
        return await self._readdress(held, going, kept, place.subnet_id, request)

    async def _readdress(
        self,
        held: Held,
        port: Attachment,
        wishes: tuple[AddressWish, ...],
        subnet_id: str,
        request: ActRequest,
    ) -> Written:
        note = Note(port.port_id, held.router.id, Undo.REFRESH)
        async with self._settling.begun([note]):
            view = await self._peers.ports.readdress(
                Readdressing(
                    port_id=port.port_id,
                    device_id=held.router.id,
                    fixed_ips=wishes,
                    trace=request.caller.request_id,
                )
            )
            return await self._attach(view, subnet_id, request)

    async def _attach(
        self,
        view: PortView,
        subnet_id: str,
        request: ActRequest,
        subnets: Mapping[str, SubnetRecord] | None = None,
    ) -> Written:
        """Save what a port has become, on these subnets; the last step of a saga."""
        port = view.port
        if subnets is None:
            subnets = await self._settling.subnets_of(port)
        new = attachment(request.id, port, subnets, is_gateway=False)
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            router = tx.router(request.id, seen_by(request.caller))
            others = [a for a in tx.attachments(router.id) if a.port_id != new.port_id]
            check_beside(new, others)
            tx.attach(new)
            tx.settled([new.port_id])
            tx.save(touched(router, {}, now))
            return written(tx, [_answer(router, new, subnet_id)])

        return await self._store.write(work, request.caller.request_id)

    async def _detach(self, held: Held, going: Attachment, request: ActRequest) -> Written:
        _check_routes(held.router, going.places)
        note = Note(going.port_id, held.router.id, Undo.LIFT)
        leaving = note._replace(undo=Undo.DROP)
        now = self._makers.now()
        subnet_id = _named(request.arguments)[0]

        def work(tx: Transaction) -> Written:
            router = tx.router(request.id, seen_by(request.caller))
            _check_routes(router, going.places)
            tx.detach(going.port_id)
            tx.note([leaving])
            tx.save(touched(router, {}, now))
            return written(tx, [_answer(router, going, subnet_id)])

        async with self._settling.begun([note]):
            hop = Ids([going.port_id])
            if (await self._peers.floating_ips.fence_hops(hop)).ids:
                used = subnet_id or going.subnet_ids[0]
                if (await self._peers.floating_ips.proxied_by(hop)).ids:
                    raise RouterInterfaceInUseByNDPProxy(held.router.id, used)
                raise RouterInterfaceInUseByFloatingIP(held.router.id, used)
            done = await self._store.write(work, request.caller.request_id)
        await self._settling.finish([leaving])
        return done

    async def _going(
        self, held: Held, subnet_id: str, port_id: str, request: ActRequest
    ) -> Attachment:
        """The interface that is to go."""
        interfaces = [each for each in held.attachments if not each.is_gateway]
        if port_id:
            for each in interfaces:
                if each.port_id == port_id:
                    if subnet_id and subnet_id not in each.subnet_ids:
                        raise SubnetMismatchForPort(port_id, subnet_id)
                    return each
            raise RouterInterfaceNotFound(held.router.id, port_id)
        for each in interfaces:
            if subnet_id in each.subnet_ids:
                return each
        await self._subnet(subnet_id, request)
        raise RouterInterfaceNotFoundForSubnet(held.router.id, subnet_id)

    async def _held(self, request: ActRequest) -> Held:
        def work(tx: Transaction) -> Held:
            router = tx.router(request.id, seen_by(request.caller))
            return Held(router, tx.attachments(router.id))

        return await self._store.read(work)

    async def _subnet(self, id_: str, request: ActRequest) -> SubnetRecord:
        """One that they see: their own, or one of a network that is theirs or shared with them."""
        project = seen_by(request.caller)
        for subnet in (await self._peers.subnets.subnets(Ids([id_]))).subnets:
            if project in (None, subnet.project_id):
                return subnet
            ids = Ids([subnet.network_id])
            for network in (await self._peers.networks.networks(ids)).networks:
                if project == network.project_id or allows(network.shared_with, project or ""):
                    return subnet
        raise SubnetNotFound(id_)


def _named(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """The subnet and the port that a body names, one of them at least."""
    subnet_id, port_id = arguments.get("subnet_id") or "", arguments.get("port_id") or ""
    if not subnet_id and not port_id:
        raise BadRouterRequest("Either subnet_id or port_id must be specified")
    return subnet_id, port_id


def _claim(note: Note, request: ActRequest) -> Claim:
    return Claim(
        port_id=note.port_id,
        device_owner=ROUTER_INTERFACE,
        device_id=note.router_id,
        trace=request.caller.request_id,
    )


def _check_routes(router: Router, places: Sequence[Place]) -> None:
    for place in places:
        if need_place(router.routes, place):
            raise RouterInterfaceInUseByRoute(router.id, place.subnet_id)


def _answer(router: Router, interface: Attachment, subnet_id: str) -> Raw:
    """What clients are told of an interface that came or went."""
    subnet_ids = [subnet_id] if subnet_id else list(dict.fromkeys(interface.subnet_ids))
    return Raw(
        msgspec.json.encode(
            {
                "id": router.id,
                "tenant_id": router.project_id,
                "project_id": router.project_id,
                "port_id": interface.port_id,
                "network_id": interface.network_id,
                "subnet_id": subnet_ids[-1] if subnet_ids else None,
                "subnet_ids": subnet_ids,
            }
        )
    )
