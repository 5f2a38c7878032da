"""Use cases of port forwardings; each lives under its floating IP."""

from collections.abc import Mapping
from typing import Any

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.routing import Path
from alcor.intent.records import PortRecord
from alcor.managers.elastic_ip.model.floating_ip import Held, changed, forwarding
from alcor.managers.elastic_ip.model.port_forwarding import (
    Forwarding,
    PortForwarding,
    check_beside,
    merged,
    port_forwarding,
)
from alcor.managers.elastic_ip.model.refusals import (
    BadPortForwardingRequest,
    FloatingIPPortAlreadyAssociated,
    PortHasBindingFloatingIP,
)
from alcor.managers.elastic_ip.needs import Store, Transaction
from alcor.managers.elastic_ip.service.associating import Associating, check_hops
from alcor.managers.elastic_ip.service.internal_ports import InternalPorts, drop_forwarding
from alcor.managers.elastic_ip.service.writes import written
from alcor.runtime.managing.writes import Makers, seen_by

_PARENT = "floatingip_id"


class PortForwardingService:
    """Keeps the contract ResourceManager."""

    def __init__(
        self,
        store: Store,
        associating: Associating,
        internal_ports: InternalPorts,
        makers: Makers,
    ) -> None:
        self._store = store
        self._associating = associating
        self._internal_ports = internal_ports
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        query, project = request.query, seen_by(request.caller)
        (parent,) = [f.values[0] for f in query.filters if f.field == _PARENT]
        held = await self._store.read(lambda tx: tx.floating_ip(str(parent), project))
        forwardings = await self._store.read(lambda tx: tx.forwardings_of([held.ip.id]))
        await self._internal_ports.views({each.shown.internal_port_id for each in forwardings})
        return ListReply(await self._store.read(lambda tx: tx.forwarding_page(query)))

    async def create(self, request: CreateRequest) -> Written:
        """All or none; all are of one floating IP."""
        caller = request.caller
        held = await self._held(request.items[0][_PARENT], caller)
        new = [
            await self._with_path(
                port_forwarding(item, item.get("id") or self._makers.new_id()), held, caller
            )
            for item in request.items
        ]
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            documents = []
            for each in new:
                _check(tx, each, caller)
                documents.append(tx.insert_forwarding(each))
                _let_use(tx, each, now)
            return written(tx, documents)

        return await self._store.write(work, caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        caller = request.caller
        project = seen_by(caller)
        old = await self._store.read(lambda tx: tx.forwarding(request.id, project))
        held = await self._held(old.floatingip_id, caller)
        values: Mapping[str, Any] = merged(old.shown, request.changes)
        new = await self._with_path(port_forwarding(values, request.id), held, caller)
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            tx.forwarding(request.id, project)
            _check(tx, new, caller)
            document = tx.save_forwarding(new)
            _let_use(tx, new, now)
            return written(tx, [document])

        return await self._store.write(work, caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            held = tx.forwarding(request.id, seen_by(request.caller))
            drop_forwarding(tx, held, now)
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)

    async def _held(self, floatingip_id: str, caller: Caller) -> Held:
        return await self._store.read(lambda tx: tx.floating_ip(floatingip_id, seen_by(caller)))

    async def _with_path(self, new: PortForwarding, held: Held, caller: Caller) -> Forwarding:
        """With the router by which the internal address is reached: the floating IP's, if any."""
        port = await self._associating.port(new.internal_port_id, held.ip.project_id, caller)
        wanted = new.internal_ip_address
        fixed_ip = next((ip for ip in port.fixed_ips if ip.ip_address == wanted), None)
        if fixed_ip is None:
            raise _not_of(new, port)
        paths = await self._associating.paths(port, fixed_ip, held.ip.floating_network_id)
        self._internal_ports.watch([port.id])
        return Forwarding(new, held.ip.id, held.ip.project_id, _chosen(paths, held))


def _chosen(paths: list[Path], held: Held) -> Path:
    if held.ip.router_id is None or held.ip.port_id is not None:
        return paths[0]
    for path in paths:
        if path.router_id == held.ip.router_id:
            return path
    raise BadPortForwardingRequest(
        f"Floating IP {held.ip.id} is forwarded by router {held.ip.router_id}, which does not "
        "reach the internal address"
    )


def _not_of(new: PortForwarding, port: PortRecord) -> BadPortForwardingRequest:
    return BadPortForwardingRequest(
        f"Requested internal IP address {new.internal_ip_address} does not correspond to the "
        f"fixed IP addresses of internal Neutron port {port.id}"
    )


def _check(tx: Transaction, new: Forwarding, caller: Caller) -> None:
    """That the floating IP can be used so, inside the transaction that saves it."""
    shown = new.shown
    ip = tx.floating_ip(new.floatingip_id, seen_by(caller)).ip
    if ip.port_id is not None:
        raise FloatingIPPortAlreadyAssociated(
            ip.floating_ip_address,
            ip.id,
            shown.internal_port_id,
            shown.internal_ip_address,
            ip.floating_network_id,
        )
    check_hops(tx, new.path, ip.floating_network_id, shown.internal_port_id)
    for other in tx.given_to([shown.internal_port_id]):
        if other.ip.fixed_ip_address == shown.internal_ip_address:
            raise PortHasBindingFloatingIP(
                ip.floating_ip_address, ip.id, shown.internal_port_id, shown.internal_ip_address
            )
    check_beside(shown, [each.shown for each in tx.forwardings_of([ip.id])])


def _let_use(tx: Transaction, new: Forwarding, now: str) -> None:
    held = tx.floating_ip(new.floatingip_id, None)
    saved = changed(held, forwarding(held, new.path), {}, now)
    if saved is not held:
        tx.save(saved)
