"""The messages of routers, their interfaces, and networks' attachments to them."""

from alcor.goal_state.entries import Attachment, FixedIp, Route, Router, RouterInterface
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.goal_state.prefix_codec import packed_prefix, read_mac, read_prefix
from alcor.values.addresses import unpack_address

Message = pb.Router | pb.RouterInterface | pb.Attachment


def message(entry: Router | RouterInterface | Attachment) -> Message:
    """The message of an entry."""
    match entry:
        case Router():
            return pb.Router(
                admin_state_up=entry.admin_state_up,
                routes=[
                    pb.Route(
                        destination=packed_prefix(each.destination), nexthop=each.nexthop.packed
                    )
                    for each in entry.routes
                ],
            )
        case RouterInterface():
            return pb.RouterInterface(
                network_id=entry.network_id,
                mac=entry.mac,
                fixed_ips=[
                    pb.FixedIp(subnet_id=fixed.subnet_id, address=fixed.address.packed)
                    for fixed in entry.fixed_ips
                ],
                admin_state_up=entry.admin_state_up,
            )
        case Attachment():
            return pb.Attachment(router_id=entry.router_id)


def read_router(parts: list[str], value: bytes) -> Router:
    """The router of these bytes; `ValueError` when a route of it is none."""
    message = pb.Router.FromString(value)
    routes = tuple(
        Route(read_prefix(route.destination), unpack_address(route.nexthop))
        for route in message.routes
    )
    if any(route.destination.version != route.nexthop.version for route in routes):
        raise ValueError("a route and its next hop are of two families")
    return Router(parts[1], message.admin_state_up, routes)


def read_interface(parts: list[str], value: bytes) -> RouterInterface:
    """The interface of these bytes; `ValueError` when its MAC or an address is none."""
    message = pb.RouterInterface.FromString(value)
    return RouterInterface(
        port_id=parts[3],
        router_id=parts[1],
        network_id=message.network_id,
        mac=read_mac(message.mac),
        fixed_ips=tuple(
            FixedIp(fixed.subnet_id, unpack_address(fixed.address)) for fixed in message.fixed_ips
        ),
        admin_state_up=message.admin_state_up,
    )


def read_attachment(parts: list[str], value: bytes) -> Attachment:
    """The attachment of these bytes."""
    return Attachment(parts[3], parts[1], pb.Attachment.FromString(value).router_id)
