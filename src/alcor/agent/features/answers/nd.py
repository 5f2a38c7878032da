"""IPv6 neighbour discovery: flows answer solicitations for every known address of a network.

It takes two stages, because Open vSwitch refuses to do both in one flow: a flow for each address
turns the solicitation into an advertisement, and then one flow that all share fills in the option,
which can be set only once the type has changed.

With the kernel's datapath Open vSwitch refuses flows that set an advertisement's flags and kind of
option ("does not support IPv6 ND Extensions"). There the second step is the agent's: each port's
go to it through a meter of the port, those from outside through the uplink's.

A router says that it is one: a machine that hears otherwise, as it asks whether its default router
is still there, has no default route any more (RFC 4861, 7.2.5).

A machine that may have every address may be a router as well: it is asked itself, and says so.

A machine's own duplicate address detection is never answered (RFC 4862, 5.4).
"""

from collections.abc import Iterator

from alcor.agent.model.model import Wired
from alcor.agent.model.ports import meter as m
from alcor.agent.model.ports.meter import Meter
from alcor.agent.model.routers.routing import Leg
from alcor.agent.model.service_address import SERVER_ADDRESS6, SERVER_MAC
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.shape import Filled, Shape
from alcor.goal_state.entries import Neighbour, Network
from alcor.ovs.fields import ETH_TYPE_IPV6, IP_PROTO_ICMPV6
from alcor.ovs.flow import (
    DROP,
    Flow,
    MatchFields,
    apply,
    load,
    match,
    move,
    punt,
    set_field,
)
from alcor.values.addresses import Address, Mac, Prefix, eui64_link_local

SOLICIT, ADVERTISE = 135, 136
TARGET_LINK_LAYER = 2  # option type (RFC 4861, 4.6.1)
ROUTER, SOLICITED, OVERRIDE = 1 << 31, 1 << 30, 1 << 29  # flags of an advertisement
ALL_NODES = 0xFF02 << 112 | 1
_EVERY = Prefix(6, 0, 0)

_TO_ASKER = move("eth_src", "eth_dst")
_TO_ASKER_IP = move("ipv6_src", "ipv6_dst")
_IS_ADVERTISEMENT = set_field("icmpv6_type", ADVERTISE)
_ADVERTISED: MatchFields = {
    "eth_type": ETH_TYPE_IPV6,
    "ip_proto": IP_PROTO_ICMPV6,
    "icmpv6_type": ADVERTISE,
    "icmpv6_code": 0,
}
_OPTION = (set_field("nd_options_type", TARGET_LINK_LAYER), move("eth_src", "nd_tll"))


def _advertisement(cookie: int, vni: int, address: int, mac: int) -> Flow:
    """A solicitation for an address of a network becomes the answer, but for its option."""
    asked_for = match(
        metadata=vni,
        eth_type=ETH_TYPE_IPV6,
        ip_proto=IP_PROTO_ICMPV6,
        icmpv6_type=SOLICIT,
        icmpv6_code=0,
        nd_target=address,
    )
    answer = apply(
        _TO_ASKER,
        set_field("eth_src", mac),
        _TO_ASKER_IP,
        set_field("ipv6_src", address),
        _IS_ADVERTISEMENT,
        goto=p.ND_ANSWER,
    )
    return Flow(p.ARP_ND, p.PRIORITY.normal, asked_for, answer, cookie)


def _of_router(cookie: int, vni: int, address: int, mac: int) -> Flow:
    """The same, of a router's address."""
    flow = _advertisement(cookie, vni, address, mac)
    actions = (set_field(p.FLAGS, *p.BY_ROUTER), *flow.instructions.actions)
    return flow._replace(instructions=apply(*actions, goto=p.ND_ANSWER))


def _to_itself(cookie: int, vni: int, address: int, mac: int) -> Flow:
    """A solicitation goes to who has the address."""
    asks = _advertisement(cookie, vni, address, mac)
    return asks._replace(instructions=apply(set_field("eth_dst", mac), goto=p.L2_DST))


_ASKED = Shape(_to_itself, p.VNI, "nd_target", "eth_dst")
_ANSWER = Shape(_advertisement, p.VNI, "nd_target", "eth_src")
_ANSWER_OF_ROUTER = Shape(_of_router, p.VNI, "nd_target", "eth_src")


def host(cookie: int, *, finished_by_flows: bool) -> Iterator[Flow]:
    """Solicitations go to the responder; its second step, where flows do it."""
    asks = match(
        eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_ICMPV6, icmpv6_type=SOLICIT, icmpv6_code=0
    )
    yield Flow(p.SERVICES, p.PRIORITY.normal, asks, apply(goto=p.ARP_ND), cookie)
    if finished_by_flows:
        yield from _second_step(cookie, 0, (0, p.BY_ROUTER[1]))
        yield from _second_step(cookie, ROUTER, p.BY_ROUTER)


def unfinished(wired: Wired, cookie: int) -> Iterator[Flow]:
    """The second step for one port, where the agent does it."""
    to_agent = apply(punt(userdata=p.PUNT_ND), meter=m.of_questions(wired.number).id)
    what = match(**(_ADVERTISED | {"reg14": wired.number}))
    yield Flow(p.ND_ANSWER, p.PRIORITY.normal, what, to_agent, cookie)


def unfinished_meters(wired: Wired) -> Iterator[Meter]:
    """The meter that `unfinished` names."""
    yield m.of_questions(wired.number)


def unfinished_outside(network: Network, uplink: int, cookie: int) -> Iterator[Flow]:
    """The same for what a network's uplink asks."""
    to_agent = apply(punt(userdata=p.PUNT_ND), meter=m.of_outside(uplink).id)
    what = match(**(_ADVERTISED | {"metadata": network.vni, "reg0": p.FROM_UPLINK}))
    yield Flow(p.ND_ANSWER, p.PRIORITY.guard, what, to_agent, cookie)


def _second_step(cookie: int, flag: int, by: tuple[int, int]) -> Iterator[Flow]:
    """What a machine's answer becomes, or a router's."""
    answer: MatchFields = _ADVERTISED | {"reg0": by}
    to_asker = set_field("nd_reserved", flag | SOLICITED | OVERRIDE), *_OPTION
    solicited = apply(*to_asker, goto=p.RETURN)
    yield Flow(p.ND_ANSWER, p.PRIORITY.normal, match(**answer), solicited, cookie)
    # Who asked from no address (duplicate address detection) is told by multicast.
    everybody = set_field("ipv6_dst", ALL_NODES), set_field("nd_reserved", flag | OVERRIDE)
    to_all = apply(*everybody, *_OPTION, goto=p.RETURN)
    probed = match(**(answer | {"ipv6_dst": 0}))
    yield Flow(p.ND_ANSWER, p.PRIORITY.high, probed, to_all, cookie)
    # A switch sends nothing back to where it came from; an uplink's question came from there.
    came = match(**(answer | {"reg0": (by[0] | p.FROM_UPLINK[0], by[1] | p.FROM_UPLINK[1])}))
    back = apply(*to_asker, load("in_port", 0, bits=16), goto=p.UPLINK_OUT)
    yield Flow(p.ND_ANSWER, p.PRIORITY.guard, came, back, cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """A port's own addresses are not answered to itself."""
    fixed = [each.address.number for each in wired.port.fixed_ips if each.address.version == 6]
    link_local = [eui64_link_local(wired.port.mac).number] if fixed else []
    for address in fixed + link_local:
        own = match(
            reg14=wired.number,
            eth_type=ETH_TYPE_IPV6,
            ip_proto=IP_PROTO_ICMPV6,
            icmpv6_type=SOLICIT,
            icmpv6_code=0,
            nd_target=address,
        )
        yield Flow(p.ARP_ND, p.PRIORITY.high, own, DROP, cookie)


def neighbour(network: Network, neighbour: Neighbour, cookie: int) -> list[Filled]:
    """One flow for each IPv6 address of a neighbour, and for its link-local address."""
    fixed = [each.number for each in neighbour.addresses if each.version == 6]
    says_itself = any(pair.prefix == _EVERY for pair in neighbour.pairs)
    return _answers(network, fixed, neighbour.mac, cookie, _ASKED if says_itself else _ANSWER)


def router(leg: Leg, cookie: int) -> list[Filled]:
    """A router answers for its addresses, on every host for the machines there."""
    fixed = [each.number for each in leg.addresses(6)]
    return _answers(leg.network, fixed, leg.mac, cookie, _ANSWER_OF_ROUTER)


def outside(network: Network, addresses: list[Address], mac: Mac, cookie: int) -> list[Filled]:
    """What a router has outside its host answers for."""
    fixed = [each.number for each in addresses]
    return _answers(network, fixed, mac, cookie, _ANSWER_OF_ROUTER)


def network(network: Network, cookie: int) -> Filled:
    """The address of the host's own services, in every network."""
    return _ANSWER, (cookie, network.vni, SERVER_ADDRESS6.number, SERVER_MAC)


def _answers(
    network: Network, fixed: list[int], mac: Mac, cookie: int, answer: Shape = _ANSWER
) -> list[Filled]:
    if not fixed:
        return []
    known = [*fixed, eui64_link_local(mac).number]
    return [(answer, (cookie, network.vni, address, mac)) for address in known]
