"""The messages of routers, of where they meet networks, and of who is where outside."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from alcor.goal_state.entries import (
    Attachment,
    FixedIp,
    FloatingIp,
    Forwarding,
    Gateway,
    Helper,
    NdpProxy,
    NextHop,
    Route,
    Router,
    RouterInterface,
    UplinkNode,
    WayOut,
)
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.goal_state.prefix_codec import packed_prefix, read_mac, read_prefix
from alcor.values.addresses import unpack_address

IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP = 6, 17, 132
_PORT_MAX = 65_535
_PROTOCOL_BY_HELPER = {"ftp": IP_PROTO_TCP, "tftp": IP_PROTO_UDP}


def _router(router: Router) -> pb.Router:
    return pb.Router(
        admin_state_up=router.admin_state_up,
        routes=[
            pb.Route(destination=packed_prefix(each.destination), nexthop=each.nexthop.packed)
            for each in router.routes
        ],
        snat=router.snat,
        project_id=router.project_id,
        qos_policy_id=router.qos_policy_id,
        ndp_proxy=router.ndp_proxy,
        exits=router.exits,
        untranslated=router.untranslated,
        ecmp=router.ecmp,
        helpers=[
            pb.Helper(protocol=each.protocol, port=each.port, name=each.name)
            for each in router.helpers
        ],
        availability_zones=router.availability_zones,
        bfd=router.bfd,
    )


def _interface(interface: RouterInterface) -> pb.RouterInterface:
    return pb.RouterInterface(
        network_id=interface.network_id,
        mac=interface.mac,
        fixed_ips=_fixed_ips(interface.fixed_ips),
        admin_state_up=interface.admin_state_up,
    )


def _attachment(attachment: Attachment) -> pb.Attachment:
    return pb.Attachment(router_id=attachment.router_id)


def _gateway(gateway: Gateway) -> pb.Gateway:
    return pb.Gateway(
        network_id=gateway.network_id,
        mac=gateway.mac,
        fixed_ips=_fixed_ips(gateway.fixed_ips),
        next_hop=f"NEXT_HOP_{gateway.next_hop.name}",
    )


def _floating(floating: FloatingIp) -> pb.FloatingIp:
    return pb.FloatingIp(
        network_id=floating.network_id,
        mac=floating.mac,
        address=floating.address.packed,
        port_id=floating.port_id,
        fixed=floating.fixed.packed if floating.fixed else b"",
        name=floating.name,
        qos_policy_id=floating.qos_policy_id,
    )


def _proxied(proxy: NdpProxy) -> pb.NdpProxy:
    return pb.NdpProxy(address=proxy.address.packed)


def _forwarding(forwarding: Forwarding) -> pb.Forwarding:
    return pb.Forwarding(
        protocol=forwarding.protocol,
        outer=pb.PortRange(first=forwarding.outer[0], last=forwarding.outer[1]),
        address=forwarding.address.packed,
        inner=pb.PortRange(first=forwarding.inner[0], last=forwarding.inner[1]),
    )


def _uplink_node(node: UplinkNode) -> pb.UplinkNode:
    return pb.UplinkNode(
        tunnel_endpoint=node.tunnel_endpoint.packed, availability_zone=node.availability_zone
    )


def _way_out(_: WayOut) -> pb.WayOut:
    return pb.WayOut()


def _fixed_ips(fixed_ips: Iterable[FixedIp]) -> list[pb.FixedIp]:
    return [
        pb.FixedIp(subnet_id=fixed.subnet_id, address=fixed.address.packed) for fixed in fixed_ips
    ]


def _read_fixed_ips(messages: Iterable[pb.FixedIp]) -> tuple[FixedIp, ...]:
    return tuple(FixedIp(fixed.subnet_id, unpack_address(fixed.address)) for fixed in messages)


def _read_router(parts: list[str], value: bytes) -> Router:
    """The router of these bytes; `ValueError` when a route or helper of it is none."""
    message = pb.Router.FromString(value)
    routes = tuple(
        Route(read_prefix(route.destination), unpack_address(route.nexthop))
        for route in message.routes
    )
    if any(route.destination.version != route.nexthop.version for route in routes):
        raise ValueError("a route and its next hop are of two families")
    return Router(
        id=parts[1],
        admin_state_up=message.admin_state_up,
        routes=routes,
        snat=message.snat,
        project_id=message.project_id,
        qos_policy_id=message.qos_policy_id,
        ndp_proxy=message.ndp_proxy,
        exits=tuple(message.exits),
        untranslated=tuple(message.untranslated),
        ecmp=message.ecmp,
        helpers=tuple(map(_read_helper, message.helpers)),
        availability_zones=tuple(message.availability_zones),
        bfd=message.bfd,
    )


def _read_helper(message: pb.Helper) -> Helper:
    if not 0 < message.port <= _PORT_MAX or message.protocol != _PROTOCOL_BY_HELPER.get(
        message.name
    ):
        raise ValueError(f"{message.name} of port {message.port} is not read by switches")
    return Helper(message.protocol, message.port, message.name)


def _read_interface(parts: list[str], value: bytes) -> RouterInterface:
    """The interface of these bytes; `ValueError` when its MAC or an address is none."""
    message = pb.RouterInterface.FromString(value)
    return RouterInterface(
        port_id=parts[3],
        router_id=parts[1],
        network_id=message.network_id,
        mac=read_mac(message.mac),
        fixed_ips=_read_fixed_ips(message.fixed_ips),
        admin_state_up=message.admin_state_up,
    )


def _read_attachment(parts: list[str], value: bytes) -> Attachment:
    """The attachment of these bytes."""
    return Attachment(parts[3], parts[1], pb.Attachment.FromString(value).router_id)


def _read_gateway(parts: list[str], value: bytes) -> Gateway:
    """The gateway of these bytes; `ValueError` when its MAC or an address is none."""
    message = pb.Gateway.FromString(value)
    return Gateway(
        port_id=parts[3],
        router_id=parts[1],
        network_id=message.network_id,
        mac=read_mac(message.mac),
        fixed_ips=_read_fixed_ips(message.fixed_ips),
        next_hop=NextHop(message.next_hop),
    )


def _read_floating(parts: list[str], value: bytes) -> FloatingIp:
    """The floating IP of these bytes; `ValueError` when a MAC or an address of it is none."""
    message = pb.FloatingIp.FromString(value)
    address = unpack_address(message.address)
    fixed = unpack_address(message.fixed) if message.fixed else None
    if fixed is not None and fixed.version != address.version:
        raise ValueError(f"{address} can't be {fixed}")
    return FloatingIp(
        id=parts[3],
        router_id=parts[1],
        network_id=message.network_id,
        mac=read_mac(message.mac),
        address=address,
        port_id=message.port_id,
        fixed=fixed,
        name=message.name,
        qos_policy_id=message.qos_policy_id,
    )


def _read_proxied(parts: list[str], value: bytes) -> NdpProxy:
    """The NDP proxy of these bytes; `ValueError` when its address is no IPv6 address."""
    address = unpack_address(pb.NdpProxy.FromString(value).address)
    if address.version != 6:
        raise ValueError(f"{address} has no neighbour discovery")
    return NdpProxy(parts[3], parts[1], address)


def _read_forwarding(parts: list[str], value: bytes) -> Forwarding:
    """The forwarding of these bytes; `ValueError` when it can't be one."""
    message = pb.Forwarding.FromString(value)
    outer, inner = _read_ports(message.outer), _read_ports(message.inner)
    if inner[0] != inner[1] and inner[1] - inner[0] != outer[1] - outer[0]:
        raise ValueError(f"ports {outer} can't be ports {inner}")
    if message.protocol not in (IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP):
        raise ValueError(f"protocol {message.protocol} has no ports that can be forwarded")
    to = unpack_address(message.address)
    return Forwarding(parts[3], parts[1], message.protocol, outer, to, inner)


def _read_ports(message: pb.PortRange) -> tuple[int, int]:
    if not 0 < message.first <= message.last <= _PORT_MAX:
        raise ValueError(f"{message.first} to {message.last} is not a range of ports")
    return message.first, message.last


def _read_uplink_node(parts: list[str], value: bytes) -> UplinkNode:
    """The node of these bytes; `ValueError` when its tunnel endpoint is no address."""
    message = pb.UplinkNode.FromString(value)
    endpoint = unpack_address(message.tunnel_endpoint)
    return UplinkNode(unquote(parts[1]), parts[3], endpoint, message.availability_zone)


def _read_way_out(parts: list[str], value: bytes) -> WayOut:
    """The way out of these bytes, which say nothing that the key does not."""
    pb.WayOut.FromString(value)
    return WayOut(parts[1], parts[3])


KINDS: tuple[Kind[Any], ...] = (
    Kind(Router, "router/*/router", _router, _read_router),
    Kind(RouterInterface, "router/*/interface/*", _interface, _read_interface),
    Kind(Gateway, "router/*/gateway/*", _gateway, _read_gateway),
    Kind(FloatingIp, "router/*/floating/*", _floating, _read_floating),
    Kind(NdpProxy, "router/*/proxied/*", _proxied, _read_proxied),
    Kind(Attachment, "network/*/attachment/*", _attachment, _read_attachment),
    Kind(Forwarding, "forwardings/*/forwarding/*", _forwarding, _read_forwarding),
    Kind(UplinkNode, "uplink/*/node/*", _uplink_node, _read_uplink_node),
    Kind(WayOut, "host/*/exit/*", _way_out, _read_way_out),
)
