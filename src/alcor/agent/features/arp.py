"""ARP: flows answer for every known IPv4 address of a network, on any host.

A machine's own probe or announcement is never answered: it would see a conflict (RFC 5227).
"""

from collections.abc import Iterator

from alcor.agent import pipeline as p
from alcor.agent.model import Wired
from alcor.agent.routing import Leg
from alcor.agent.service_address import SERVER_ADDRESS, SERVER_MAC, server_address
from alcor.agent.shapes import match_by, set_to
from alcor.goal_state.entries import Neighbour, Network, Subnet
from alcor.ovs.fields import ETH_TYPE_ARP
from alcor.ovs.flow import (
    DROP,
    IN_PORT,
    Flow,
    Instructions,
    apply,
    load,
    match,
    move,
    output,
    set_field,
)
from alcor.values.addresses import Address, Mac

REQUEST, REPLY = 1, 2
_TO_ASKER = move("eth_src", "eth_dst")
_IS_REPLY = set_field("arp_op", REPLY)
_TARGET_MAC = move("arp_sha", "arp_tha")
_TARGET_ADDRESS = move("arp_spa", "arp_tpa")
_BACK = output(IN_PORT)
_FROM_NOWHERE = load("in_port", 0, bits=16)  # a switch sends nothing back to where it came from
_asked_for = match_by(p.VNI, "arp_tpa", eth_type=ETH_TYPE_ARP, arp_op=REQUEST)
_set_eth_src, _set_arp_sha, _set_arp_spa = set_to("eth_src"), set_to("arp_sha"), set_to("arp_spa")


def host(cookie: int) -> Iterator[Flow]:
    """Requests go to the responder; replies are ordinary packets."""
    what = match(eth_type=ETH_TYPE_ARP, arp_op=REQUEST)
    yield Flow(p.SERVICES, p.PRIORITY.normal, what, apply(goto=p.ARP_ND), cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """A port's own addresses are not answered to itself."""
    for fixed in wired.port.fixed_ips:
        if fixed.address.version == 4:
            own = match(
                reg14=wired.ofport,
                eth_type=ETH_TYPE_ARP,
                arp_op=REQUEST,
                arp_tpa=fixed.address.number,
            )
            yield Flow(p.ARP_ND, p.PRIORITY.high, own, DROP, cookie)


def neighbour(network: Network, neighbour: Neighbour, cookie: int) -> Iterator[Flow]:
    """One flow for each IPv4 address of a neighbour."""
    for address in neighbour.addresses:
        if address.version == 4:
            what = _asked_for(network.vni, address.number)
            answer = _answer(address.number, neighbour.mac)
            yield Flow(p.ARP_ND, p.PRIORITY.normal, what, answer, cookie)


def outside(network: Network, addresses: list[Address], mac: Mac, cookie: int) -> Iterator[Flow]:
    """What this host has outside it answers for, by the uplink that it was asked by."""
    for address in addresses:
        what = _asked_for(network.vni, address.number)
        back = (*_answer(address.number, mac).actions[:-1], _FROM_NOWHERE)
        yield Flow(p.ARP_ND, p.PRIORITY.normal, what, Instructions(back, p.UPLINK_OUT), cookie)


def router(leg: Leg, cookie: int) -> Iterator[Flow]:
    """A router answers for its addresses, on every host for the machines there."""
    for address in leg.addresses(4):
        what = _asked_for(leg.network.vni, address.number)
        yield Flow(p.ARP_ND, p.PRIORITY.normal, what, _answer(address.number, leg.mac), cookie)


def subnet(network: Network, subnet: Subnet, cookie: int) -> Iterator[Flow]:
    """The DHCP server's address; below the neighbours, as a machine may be the gateway."""
    address = server_address(subnet).number
    if subnet.dhcp and subnet.prefix.version == 4 and address != SERVER_ADDRESS.number:
        what = _asked_for(network.vni, address)
        yield Flow(p.ARP_ND, p.PRIORITY.low, what, _answer(address, SERVER_MAC), cookie)


def network(network: Network, cookie: int) -> Iterator[Flow]:
    """The address of the host's own services, in every network."""
    what = _asked_for(network.vni, SERVER_ADDRESS.number)
    answer = _answer(SERVER_ADDRESS.number, SERVER_MAC)
    yield Flow(p.ARP_ND, p.PRIORITY.low, what, answer, cookie)


def _answer(address: int, mac: int) -> Instructions:
    return Instructions(
        (
            _TO_ASKER,
            _set_eth_src(mac),
            _IS_REPLY,
            _TARGET_MAC,
            _set_arp_sha(mac),
            _TARGET_ADDRESS,
            _set_arp_spa(address),
            _BACK,
        )
    )
