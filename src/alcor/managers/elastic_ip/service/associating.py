"""Find to whom a floating IP can be given, and by which router.

Source: neutron.db.l3_db (get_assoc_data, _get_router_for_floatingip).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from alcor.contracts.held_ports import PortView
from alcor.contracts.peers import Ids
from alcor.contracts.resources import Caller
from alcor.contracts.routing import Path, PathRequest, ProxyingRouter
from alcor.intent.records import FixedIp, PortRecord
from alcor.managers.elastic_ip.model.floating_ip import Association, fixed_ip_of
from alcor.managers.elastic_ip.model.refusals import (
    BadFloatingIpRequest,
    ExternalGatewayForFloatingIPNotFound,
    RouterWithoutGatewayForFloatingIP,
)
from alcor.managers.elastic_ip.needs import Peers, Transaction
from alcor.runtime.managing.writes import seen_by
from alcor.values.errors import NotFound
from alcor.values.missing import PortNotFound, RouterNotFound


class RouterNow(NamedTuple):
    """The router that translates a floating IP."""

    router_id: str
    is_beside: bool  # on the subnet of the address inside; else it was named, and others lead there


class Associating:
    """Looks at ports and routers; nothing is saved here."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def association(
        self,
        values: Mapping[str, Any],
        project: str,
        network_id: str,
        caller: Caller,
        router_now: RouterNow | None = None,
    ) -> Association | None:
        """What `port_id` and those that go with it ask for; None: to be given to nobody.

        `router_now` stays, if the address is another one of the same port and it leads there.
        """
        port_id, wanted = values.get("port_id"), values.get("fixed_ip_address")
        if not port_id:
            for name in ("fixed_ip_address", "router_id"):
                if values.get(name):
                    raise BadFloatingIpRequest(f"{name} cannot be specified without a port_id")
            return None
        port = await self.port(port_id, project, caller)
        fixed_ip = fixed_ip_of(port, wanted)
        if router_id := values.get("router_id"):
            router = await self.router(router_id, caller)
            path = await self._path_by(router.id, fixed_ip, network_id)
        elif router_now is not None:
            path = await self._path_kept(router_now, port, fixed_ip, network_id)
        else:
            path = (await self.paths(port, fixed_ip, network_id))[0]
        return Association(port.id, fixed_ip.ip_address, path)

    async def router(self, id_: str, caller: Caller) -> ProxyingRouter:
        """A router that they see; `RouterNotFound`."""
        found = (await self._peers.routers.proxying(Ids([id_]))).routers
        if not found or seen_by(caller) not in (None, found[0].project_id):
            raise RouterNotFound(id_)
        return found[0]

    async def port(self, port_id: str, project: str, caller: Caller) -> PortRecord:
        """The internal port, which must be of the floating IP's project."""
        views: list[PortView] = (await self._peers.ports.views(Ids([port_id]))).ports
        if not views:
            raise _port_not_found(port_id)
        port = views[0].port
        if port.project_id != project and not caller.admin:
            ids = Ids([port.network_id])
            networks = (await self._peers.networks.networks(ids)).networks
            if not any(n.project_id == seen_by(caller) for n in networks):
                raise _port_not_found(port_id)
            raise BadFloatingIpRequest(
                f"Port {port_id} is associated with a different tenant than Floating IP and "
                "therefore cannot be bound"
            )
        return port

    async def paths(self, port: PortRecord, fixed_ip: FixedIp, network_id: str) -> list[Path]:
        """The routers that join the address with the external network, one at least."""
        subnets = (await self._peers.subnets.subnets(Ids([fixed_ip.subnet_id]))).subnets
        request = PathRequest(
            subnet_id=fixed_ip.subnet_id,
            external_network_id=network_id,
            preferred_address=(subnets[0].gateway_ip or "") if subnets else "",
        )
        paths = (await self._peers.routers.paths(request)).paths
        if not paths:
            raise ExternalGatewayForFloatingIPNotFound(network_id, fixed_ip.subnet_id, port.id)
        return paths

    async def _path_kept(
        self, now: RouterNow, port: PortRecord, fixed_ip: FixedIp, network_id: str
    ) -> Path:
        """By the same router as now, if it is on the address's subnet or was named without that."""
        if not now.is_beside:
            return await self._path_by(now.router_id, fixed_ip, network_id)
        paths = await self.paths(port, fixed_ip, network_id)
        return next((each for each in paths if each.router_id == now.router_id), paths[0])

    async def _path_by(self, router_id: str, fixed_ip: FixedIp, network_id: str) -> Path:
        """By a router that was named: others may lead from there to the address."""
        request = PathRequest(
            subnet_id=fixed_ip.subnet_id, external_network_id=network_id, router_id=router_id
        )
        paths = (await self._peers.routers.paths(request)).paths
        if not paths:
            raise RouterWithoutGatewayForFloatingIP(router_id, network_id)
        return paths[0]


def check_hops(tx: Transaction, path: Path, network_id: str, port_id: str) -> None:
    """That the path is still there, inside the transaction that saves who goes by it."""
    if tx.fenced([path.interface_port_id, path.gateway_port_id]):
        raise ExternalGatewayForFloatingIPNotFound(network_id, "of the port", port_id)


def _port_not_found(port_id: str) -> NotFound:
    return PortNotFound(port_id)
