"""ARP: flows answer for every known IPv4 address of a network, on any host.

A machine's own probe or announcement is never answered: it would see a conflict (RFC 5227).
"""

from collections.abc import Iterator

from alcor.agent.model.model import Wired
from alcor.agent.model.routers.routing import Leg
from alcor.agent.model.service_address import SERVER_ADDRESS, SERVER_MAC, server_address
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.shape import AnyFlow, Filled, Shape
from alcor.goal_state.entries import Neighbour, Network, Subnet
from alcor.ovs.fields import ETH_TYPE_ARP
from alcor.ovs.flow import (
    DROP,
    Flow,
    Instructions,
    apply,
    load,
    match,
    move,
    set_field,
)
from alcor.values.addresses import Address, Mac

REQUEST, REPLY = 1, 2
_TO_ASKER = move("eth_src", "eth_dst")
_IS_REPLY = set_field("arp_op", REPLY)
_TARGET_MAC = move("arp_sha", "arp_tha")
_TARGET_ADDRESS = move("arp_spa", "arp_tpa")
_FROM_NOWHERE = load("in_port", 0, bits=16)  # a switch sends nothing back to where it came from


def _shape(priority: int) -> Shape:
    """Who asks for an address in a network gets a MAC."""

    def make(cookie: int, vni: int, address: int, mac: int) -> Flow:
        what = match(metadata=vni, eth_type=ETH_TYPE_ARP, arp_op=REQUEST, arp_tpa=address)
        answer = apply(
            _TO_ASKER,
            set_field("eth_src", mac),
            _IS_REPLY,
            _TARGET_MAC,
            set_field("arp_sha", mac),
            _TARGET_ADDRESS,
            set_field("arp_spa", address),
            goto=p.RETURN,
        )
        return Flow(p.ARP_ND, priority, what, answer, cookie)

    return Shape(make, p.VNI, "arp_tpa", "eth_src")


_ANSWER, _ANSWER_IF_NOBODY_DOES = _shape(p.PRIORITY.normal), _shape(p.PRIORITY.low)
_ANSWER_FIRST = _shape(p.PRIORITY.normal + 1)


def host(cookie: int) -> Iterator[Flow]:
    """Requests go to the responder; replies are ordinary packets."""
    what = match(eth_type=ETH_TYPE_ARP, arp_op=REQUEST)
    yield Flow(p.SERVICES, p.PRIORITY.normal, what, apply(goto=p.ARP_ND), cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """A port's own addresses are not answered to itself."""
    for fixed in wired.port.fixed_ips:
        if fixed.address.version == 4:
            yield _own(wired, fixed.address, cookie)


def _own(wired: Wired, address: Address, cookie: int) -> Flow:
    asks = match(reg14=wired.number, eth_type=ETH_TYPE_ARP, arp_op=REQUEST, arp_tpa=address.number)
    return Flow(p.ARP_ND, p.PRIORITY.high, asks, DROP, cookie)


def local(wired: Wired, address: Address, cookie: int) -> Iterator[AnyFlow]:
    """A local IP: this host's port has it, whoever else does."""
    yield _ANSWER_FIRST, (cookie, wired.network.vni, address.number, wired.port.mac)
    yield _own(wired, address, cookie)


def neighbour(network: Network, neighbour: Neighbour, cookie: int) -> list[Filled]:
    """One flow for each IPv4 address of a neighbour."""
    return [
        (_ANSWER, (cookie, network.vni, address.number, neighbour.mac))
        for address in neighbour.addresses
        if address.version == 4
    ]


def outside(network: Network, addresses: list[Address], mac: Mac, cookie: int) -> Iterator[Flow]:
    """What this host has outside it answers for, by the uplink that it was asked by."""
    for address in addresses:
        inside = _ANSWER.make(cookie, network.vni, address.number, mac)
        back = (*inside.instructions.actions, _FROM_NOWHERE)
        yield inside._replace(instructions=Instructions(back, p.UPLINK_OUT))


def router(leg: Leg, cookie: int) -> Iterator[AnyFlow]:
    """A router answers for its addresses, on every host for the machines there."""
    for address in leg.addresses(4):
        yield _ANSWER, (cookie, leg.network.vni, address.number, leg.mac)


def subnet(network: Network, subnet: Subnet, cookie: int) -> Iterator[AnyFlow]:
    """The DHCP server's address; below the neighbours, as a machine may be the gateway."""
    address = server_address(network, subnet).number
    if subnet.dhcp and subnet.prefix.version == 4 and address != SERVER_ADDRESS.number:
        yield _ANSWER_IF_NOBODY_DOES, (cookie, network.vni, address, SERVER_MAC)


def network(network: Network, cookie: int) -> Filled:
    """The address of the host's own services, in every network."""
    return _ANSWER_IF_NOBODY_DOES, (cookie, network.vni, SERVER_ADDRESS.number, SERVER_MAC)
