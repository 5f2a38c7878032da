"""Follow a packet from the port that sends it to its end, stage by stage."""

from typing import NamedTuple

from alcor.intent.records import NetworkRecord, PortRecord
from alcor.tracing import filters, outside, routers
from alcor.tracing.journey import Ended, Journey, about, called
from alcor.tracing.outside import AtFloating, AtGateway
from alcor.tracing.packet import Packet
from alcor.tracing.path import Stage, Trace, Verdict
from alcor.tracing.region import Region
from alcor.tracing.routers import AtPort, AtRouter, Holder
from alcor.values.addresses import Address, Prefix, address, prefix

routers_max = 64  # a switch gives up after as many: the end of every circle
choices_max = 16  # of the next hops of one route, that are looked at

_SERVER4 = Address(4, 0xA9FE_A9FE)  # where hosts answer by DHCP on a subnet without a gateway


class Hop(NamedTuple):
    """Whom the machine itself sends its packet to."""

    address: Address
    why: str


def trace(region: Region, sender: PortRecord, packet: Packet) -> Trace:
    """What becomes of a packet, and why; by every next hop when a route has several."""
    first, ways = _walk(region, sender, packet, 0)
    every = [
        first,
        *(_walk(region, sender, packet, n)[0] for n in range(1, min(ways, choices_max))),
    ]
    if len({each.verdict for each in every}) == 1:
        return first
    return first._replace(verdict=Verdict.DEPENDS, ways=tuple(every))


def _walk(region: Region, sender: PortRecord, packet: Packet, choice: int) -> tuple[Trace, int]:
    journey = Journey(region, sender, packet, choice)
    try:
        holder = _send(journey)
        for _ in range(routers_max):
            holder = _hand(journey, holder)
        raise journey.drop(Stage.L2_DST, "its way leads round in circles")
    except Ended:
        return journey.trace(), journey.ways_most


def _send(journey: Journey) -> Holder:
    """From the machine through its own host's checks; who has the packet next."""
    port, region = journey.sender, journey.region
    network = region.one(NetworkRecord, port.network_id)
    journey.network_id = port.network_id
    if not port.host:
        raise journey.drop(Stage.CLASSIFY, f"port {called(port)} is bound to no host", about(port))
    journey.host = port.host
    if network is None or not region.is_bound(port):
        raise journey.drop(Stage.CLASSIFY, "its host, or its network, is not known", about(port))
    if not (port.admin_state_up and network.admin_state_up):
        what = f"network {called(network)}" if port.admin_state_up else f"port {called(port)}"
        raise journey.drop(Stage.CLASSIFY, f"{what} is administratively down", about(port))
    hop = _machine(journey, network)
    if port.parent_id:
        says = f"by tag {port.segmentation_id}, on the interface of port {port.parent_id}"
        journey.note(Stage.CLASSIFY, says, about(port))
    holder = _resolve(journey, network, hop)
    if holder is not None:
        held = holder.port if isinstance(holder, AtPort) else holder[0].port
        journey.sends_to = held.mac_address
    filters.port_security(journey)
    filters.host_services(journey)
    filters.network_acl(journey, ingress=False)
    filters.security_groups(journey, port, ingress=False)
    if holder is None:
        says = f"{hop.address} is the host's DHCP server, which forwards nothing"
        raise journey.drop(Stage.L2_DST, says, about(network))
    return holder


def _machine(journey: Journey, network: NetworkRecord) -> Hop:
    """Whom the machine sends it to, by what DHCP has told it."""
    packet, region, port = journey.packet, journey.region, journey.sender
    if filters.has_address(port, packet.destination):
        raise journey.end(
            Verdict.ANSWERED, Stage.MACHINE, "its own address: it never leaves the machine"
        )
    if packet.size > network.mtu:
        says = f"network {called(network)} takes {network.mtu} bytes, not {packet.size}"
        raise journey.drop(Stage.MACHINE, says, about(network))
    hop = next_hop(region, port, packet)
    if hop is None:
        says = f"no subnet of port {called(port)} has a way to {packet.destination}"
        raise journey.drop(Stage.MACHINE, says, about(port))
    if filters.has_address(port, hop.address):
        raise journey.drop(Stage.MACHINE, f"{hop.why}, which is its own address", about(port))
    journey.note(Stage.MACHINE, hop.why, about(port))
    return hop


def next_hop(region: Region, port: PortRecord, packet: Packet) -> Hop | None:
    """Whom a machine sends a packet to, that has its addresses and routes from DHCP."""
    to = packet.destination
    wanted = {fixed.subnet_id for fixed in port.fixed_ips}
    subnets = [each for each in region.subnets_on(port.network_id) if each.id in wanted]
    own = [each for each in subnets if each.ip_version == packet.version]
    for subnet in own:
        if prefix(subnet.cidr).covers(to):
            return Hop(to, f"{to} is in its own subnet {subnet.cidr}")
    routes: list[tuple[Prefix, Address]] = []
    for subnet in own:
        routes += [(prefix(each.destination), address(each.nexthop)) for each in subnet.host_routes]
    routes = [each for each in routes if each[0].covers(to)]
    if routes:
        longest, by = max(routes, key=lambda route: route[0].length)
        return Hop(by, f"its subnet's route {longest} by {by}")
    for subnet in own:
        if subnet.gateway_ip:
            gateway = address(subnet.gateway_ip)
            return Hop(gateway, f"{to} is beyond its subnet: by its gateway {gateway}")
    return None


def _resolve(journey: Journey, network: NetworkRecord, hop: Hop) -> Holder | None:
    """Who answers for an address; None: the host itself, as the DHCP server."""
    region = journey.region
    if (port := region.holder(network.id, hop.address)) is not None:
        return AtPort(port)
    if (leg := region.leg_at(network.id, hop.address)) is not None:
        return AtRouter(leg)
    for subnet in region.subnets_on(network.id):
        is_gateway = subnet.gateway_ip and not network.physical_network
        server = address(subnet.gateway_ip) if is_gateway else _SERVER4
        if subnet.enable_dhcp and subnet.ip_version == 4 and server == hop.address:
            return None
    if region.has_uplink(journey.host, network):
        says = f"{hop.address} is asked for beyond the uplinks: who is there is not known"
        raise journey.drop(Stage.RESOLUTION, says, about(network))
    says = f"nobody on network {called(network)} has {hop.address}"
    raise journey.drop(Stage.RESOLUTION, says, about(network))


def _hand(journey: Journey, holder: Holder) -> Holder:
    """Hand the packet to who has it next, and hear of the one after him."""
    match holder:
        case AtPort(port):
            _deliver(journey, port)
        case AtRouter(leg):
            came, router = leg, leg.router
            journey.note(Stage.L2_DST, f"to router {called(router)}", about(router))
        case AtGateway(gateway) | AtFloating(gateway):
            came, router = gateway, gateway.router
            _come_in(journey, holder)
    routers.take(journey, router)
    return routers.forward(journey, router, came)


def _come_in(journey: Journey, at: AtGateway | AtFloating) -> None:
    """To the outside of a router, wherever that is."""
    region, gateway = journey.region, at.gateway
    if isinstance(at, AtFloating):
        host, to = outside.home_of(region, at), about(at.floating)
    else:
        host, to = outside.central_host(region, gateway), about(gateway.router)
    if host != journey.host:
        outside.wire(journey, gateway.network, host, to)
    outside.come_in(journey, at)


def _is_wired(journey: Journey, port: PortRecord) -> bool:
    """Whether it goes by the physical network: what no router has sent on, if both have uplinks."""
    network = journey.region.one(NetworkRecord, port.network_id)
    return (
        journey.sends_to == port.mac_address
        and network is not None
        and journey.region.has_uplink(journey.host, network)
        and journey.region.has_uplink(port.host, network)
    )


def _deliver(journey: Journey, port: PortRecord) -> None:
    """To a machine: over the underlay if need be, past the rules at its port."""
    told = about(port)
    journey.note(Stage.L2_DST, f"to port {called(port)}", told)
    if port.host != journey.host:
        by = Stage.UPLINK_OUT if _is_wired(journey, port) else Stage.TUNNEL_OUT
        how = "in a tunnel" if by is Stage.TUNNEL_OUT else "by the uplinks of both"
        journey.note(by, f"to the port's host, {how}", told)
        journey.arrive(port.host, by)
    if not port.admin_state_up:
        raise journey.drop(Stage.L2_DST, f"port {called(port)} is administratively down", told)
    filters.network_acl(journey, ingress=True)
    filters.security_groups(journey, port, ingress=True)
    journey.got_by = port.id
    if filters.has_address(port, journey.packet.destination):
        raise journey.end(Verdict.DELIVERED, Stage.DELIVER, f"port {called(port)} gets it", told)
    says = f"port {called(port)} gets it as next hop; what it does with it is its own"
    raise journey.end(Verdict.HANDED, Stage.DELIVER, says, told)
