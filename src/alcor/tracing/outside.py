"""Routers' ways to external networks: which host's uplink, and what is translated on the way."""

from typing import NamedTuple

from alcor.intent.records import FloatingIpRecord, NetworkRecord, RouterRecord
from alcor.tracing.journey import Journey, about, called
from alcor.tracing.packet import WITH_PORTS, Packet
from alcor.tracing.path import LEAVES, About, Stage
from alcor.tracing.region import Leg, Region
from alcor.values.addresses import Address, address
from alcor.values.rendezvous import chosen


class AtGateway(NamedTuple):
    """The external MAC of a router has the packet next."""

    gateway: Leg


class AtFloating(NamedTuple):
    """The MAC of a floating IP has the packet next."""

    gateway: Leg
    floating: FloatingIpRecord


def central_host(region: Region, gateway: Leg) -> str:
    """The host by whose uplink a router's packets leave; empty: none."""
    living = region.uplinked(gateway.network)
    near = {
        node.id for node in living if node.availability_zone in gateway.router.availability_zones
    }
    return chosen(gateway.router.id, (node.id for node in living), near) or ""


def home_of(region: Region, at: AtFloating) -> str:
    """The host that translates a floating IP: its port's, if that is known and has an uplink."""
    gateway, floating = at
    if floating.port_id:
        legs = {port.network_id for port in region.interfaces_of(floating.router_id)}
        port = region.bound_port(floating.port_id)
        is_behind = port is not None and port.network_id in legs
        if port is not None and is_behind and region.has_uplink(port.host, gateway.network):
            return port.host
    return central_host(region, gateway)


def floating_behind(region: Region, gateway: Leg) -> list[AtFloating]:
    """The floating IPs that a router translates on its external network."""
    every = region.floating_of(gateway.router.id)
    own = [each for each in every if each.floating_network_id == gateway.network.id]
    return [AtFloating(gateway, each) for each in own]


def is_source_of(region: Region, floating: FloatingIpRecord, packet: Packet) -> bool:
    """Whether a packet is from where a floating IP leads: its port, or what it forwards."""
    if floating.port_id:
        return address(floating.fixed_ip_address) == packet.source
    return any(
        address(each.internal_ip) == packet.source
        and each.protocol == packet.protocol
        and each.internal_ports[0] <= packet.source_port <= each.internal_ports[1]
        for each in region.forwardings_of(floating)
    )


def leave(journey: Journey, gateway: Leg) -> bool:
    """Out of a router; False when another host has the packet, and routes it again."""
    region, packet = journey.region, journey.packet
    if packet.size > gateway.network.mtu:
        name, most = called(gateway.network), gateway.network.mtu
        says = f"network {name} takes {most} bytes, not {packet.size}"
        raise journey.refuse(Stage.NAT_OUT, says, about(gateway.router))
    if packet.version == 4:
        for at in floating_behind(region, gateway):
            floating = at.floating
            if floating.port_id and address(floating.fixed_ip_address) == packet.source:
                if home_of(region, at) != journey.host:
                    continue
                _translate(journey, address(floating.floating_ip_address), floating)
                return True
    own = gateway.addresses(4)
    ways = gateway.router.gateways
    of_port = [each for each in ways if each.port_id == gateway.port.id]
    snat = all(each.enable_snat for each in of_port)
    stays = _is_of_the_scope(journey, gateway, translates=packet.version == 4 and snat)
    central = central_host(region, gateway)
    if central == journey.host:
        if packet.version == 4 and snat and own and not stays:
            _translate(journey, own[0], gateway.router)
        else:
            journey.note(Stage.NAT_OUT, f"{packet.source} is not translated", about(gateway.router))
            journey.packet = packet._replace(ttl=packet.ttl - 1)
        return True
    if not central or journey.came_by is Stage.TUNNEL_OUT:
        says = f"no host has an uplink to network {called(gateway.network)}"
        raise journey.refuse(Stage.NAT_OUT, says, about(gateway.router))
    journey.network_id = gateway.network.id
    journey.note(Stage.NAT_OUT, "it leaves by the uplink of another host", about(gateway.router))
    journey.note(Stage.TUNNEL_OUT, "to the host by which the router's packets leave")
    journey.arrive(central, Stage.TUNNEL_OUT)
    return False


def _is_of_the_scope(journey: Journey, gateway: Leg, *, translates: bool) -> bool:
    """Whether the source is of the outside's own address scope, and so leaves as it is.

    What is of another scope must be translated, or stays inside.
    """
    region, packet, router = journey.region, journey.packet, gateway.router
    legs = region.legs_of(router) if region.joins_scopes(router) else []
    for leg in legs:
        if not leg.covers(packet.source):
            continue
        scope = leg.scope_by_version.get(packet.version)
        is_same = scope == gateway.scope_by_version.get(packet.version)
        if not is_same and not translates:
            says = f"{packet.source} is of another address scope, and nothing translates it"
            raise journey.refuse(Stage.NAT_OUT, says, about(router))
        return is_same and bool(scope)
    return False


def _translate(journey: Journey, to: Address, by: FloatingIpRecord | RouterRecord) -> None:
    packet = journey.packet
    if not packet.opens_a_connection:
        raise journey.drop(Stage.NAT_OUT, "it is of no connection that is translated", about(by))
    whose = "its floating IP" if isinstance(by, FloatingIpRecord) else "the router's address"
    journey.note(Stage.NAT_OUT, f"{packet.source} becomes {to}, {whose}", about(by))
    journey.packet = packet._replace(source=to, ttl=packet.ttl - 1)


def wire(journey: Journey, network: NetworkRecord, host: str, to: About) -> None:
    """Out by this host's uplink, and in by that of the host which has the MAC of `to`."""
    if journey.came_by is Stage.UPLINK_OUT:
        raise journey.drop(Stage.L2_DST, "what came from outside doesn't leave again", to)
    if not journey.region.has_uplink(journey.host, network):
        says = f"this host has no uplink to network {called(network)}"
        raise journey.drop(Stage.L2_DST, says, to)
    journey.note(Stage.UPLINK_OUT, LEAVES)
    if not host:
        raise journey.drop(Stage.UPLINK_OUT, "no host takes it from there", to)
    journey.arrive(host, Stage.UPLINK_OUT)


def come_in(journey: Journey, at: AtGateway | AtFloating) -> None:
    """From outside to a router: what is translated on the way in."""
    packet = journey.packet
    if isinstance(at, AtGateway):
        if packet.destination in at.gateway.addresses(4):
            journey.translated = True
        return
    floating = at.floating
    if packet.destination != address(floating.floating_ip_address):
        return
    for each in journey.region.forwardings_of(floating):
        first, last = each.external_ports
        if each.protocol in WITH_PORTS and each.protocol == packet.protocol:
            if not first <= packet.destination_port <= last:
                continue
            inner = each.internal_ports
            shift = 0 if inner[0] == inner[1] else packet.destination_port - first
            _enter(journey, floating, address(each.internal_ip), inner[0] + shift)
            return
    if not floating.port_id:
        says = f"nobody has port {packet.destination_port} of {packet.destination}"
        raise journey.refuse(Stage.ROUTER_IN, says, about(floating))
    if not packet.opens_a_connection:
        raise journey.drop(
            Stage.NAT_IN, "it is of no connection that is translated", about(floating)
        )
    _enter(journey, floating, address(floating.fixed_ip_address), packet.destination_port)


def _enter(journey: Journey, by: FloatingIpRecord, to: Address, port: int) -> None:
    packet = journey.packet
    journey.packet = Packet(*packet)._replace(destination=to, destination_port=port)
    says = f"{packet.destination} is the floating IP of {to}"
    if port != packet.destination_port:
        says += f", port {packet.destination_port} becomes {port}"
    journey.note(Stage.NAT_IN, says, about(by))
    journey.translated = True
