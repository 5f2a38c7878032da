"""A router and its interfaces, as every host that packets may take them from must know them."""

from alcor.goal_state.entries import (
    Attachment,
    FixedIp,
    Gateway,
    Helper,
    NdpProxy,
    NextHop,
    Route,
    Router,
    RouterInterface,
)
from alcor.goal_state.slices import (
    attachment_key,
    gateway_key,
    interface_key,
    proxied_key,
    router_key,
)
from alcor.intent.records import NdpProxyRecord, PortRecord, RouterGateway, RouterRecord
from alcor.planner.parsed import address, mac
from alcor.values.addresses import prefix

_NEXT_HOP = {"up": NextHop.UP, "down": NextHop.DOWN}
_GATEWAY_OWNER = "network:router_gateway"
_INTERFACE_OWNERS = frozenset(("network:router_interface", "network:router_interface_distributed"))


def is_interface(port: PortRecord) -> bool:
    """Whether the port is where a router meets its network."""
    return port.device_owner in _INTERFACE_OWNERS and bool(port.device_id)


def is_gateway(port: PortRecord) -> bool:
    """Whether the port is where a router meets an external network."""
    return port.device_owner == _GATEWAY_OWNER and bool(port.device_id)


def plan(router: RouterRecord) -> tuple[str, Router]:
    """Its entry in its own slice; `ValueError` when a route's text is none."""
    return router_key(router.id), Router(
        id=router.id,
        admin_state_up=router.admin_state_up,
        routes=tuple(
            Route(prefix(route.destination), address(route.nexthop)) for route in router.routes
        ),
        snat=router.gateway is None or router.gateway.enable_snat,
        project_id=router.project_id,
        qos_policy_id=router.gateway.qos_policy_id if router.gateway is not None else "",
        ndp_proxy=router.ndp_proxy,
        exits=tuple(_way(router, each) for each in router.gateways if router.more_gateways),
        untranslated=tuple(_way(router, e) for e in router.more_gateways if not e.enable_snat),
        ecmp=router.ecmp,
        helpers=tuple(Helper(e.protocol, e.port, e.helper) for e in router.helpers),
        availability_zones=router.availability_zones,
        bfd=router.bfd,
    )


def _way(router: RouterRecord, gateway: RouterGateway) -> str:
    """By what a gateway is named: its network, or its port where others lead there as well."""
    networks = [each.network_id for each in router.gateways]
    return gateway.network_id if networks.count(gateway.network_id) == 1 else gateway.port_id


def plan_interface(port: PortRecord) -> tuple[str, RouterInterface] | None:
    """An interface's entry in its router's slice; `ValueError` when a text is no address."""
    if not is_interface(port):
        return None
    return interface_key(port.device_id, port.id), RouterInterface(
        port_id=port.id,
        router_id=port.device_id,
        network_id=port.network_id,
        mac=mac(port.mac_address),
        fixed_ips=_fixed_ips(port),
        admin_state_up=port.admin_state_up,
    )


def plan_gateway(port: PortRecord) -> tuple[str, Gateway] | None:
    """A gateway's entry in its router's slice; `ValueError` when a text is no address."""
    if not is_gateway(port):
        return None
    return gateway_key(port.device_id, port.id), Gateway(
        port_id=port.id,
        router_id=port.device_id,
        network_id=port.network_id,
        mac=mac(port.mac_address),
        fixed_ips=_fixed_ips(port),
        next_hop=_NEXT_HOP.get(port.next_hop, NextHop.UNKNOWN),
    )


def plan_proxied(proxy: NdpProxyRecord) -> tuple[str, NdpProxy]:
    """An NDP proxy's entry in its router's slice; `ValueError` when the text is no address."""
    key = proxied_key(proxy.router_id, proxy.id)
    return key, NdpProxy(proxy.id, proxy.router_id, address(proxy.ip_address))


def _fixed_ips(port: PortRecord) -> tuple[FixedIp, ...]:
    return tuple(FixedIp(fixed.subnet_id, address(fixed.ip_address)) for fixed in port.fixed_ips)


def plan_attachment(port: PortRecord) -> tuple[str, Attachment] | None:
    """What the interface's network says of it: it leads the network's hosts to the router."""
    if not is_interface(port):
        return None
    key = attachment_key(port.network_id, port.id)
    return key, Attachment(port.id, port.network_id, port.device_id)
