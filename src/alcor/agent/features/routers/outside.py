"""UPLINK_IN, NAT_IN, NAT_OUT, NAT_DONE, UPLINK_OUT: external networks, by the uplinks of hosts.

A floating IP is translated on its port's own host if that has an uplink. Everything else leaves by
one host for each router. Other hosts send it there in the VNI of the external network; IPv4 leaves
with the router's own address, IPv6 unchanged. The connection tracker translates, in one zone for
each router, so that ICMP errors about a connection are translated too.

Which MAC has an address outside is found out by the agent (`punts/outside.py`).
"""

from collections.abc import Iterator
from typing import cast

from alcor.agent.model.ports.meter import of_bfd, of_outside, of_stale
from alcor.agent.model.ports.tags import heard, put_on
from alcor.agent.model.routers.exits import Exit, Home
from alcor.agent.model.routers.routing import RouterView
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes import ways_out
from alcor.agent.shapes.conntrack_helpers import (
    named,
    named_by_forwarded,
    read_along,
    translating,
)
from alcor.agent.shapes.router import (
    VNI_FULL,
    counting,
    fault,
    held_by,
    hop,
    hop_itself,
    leaving,
    limiting,
    own,
    route,
    sized,
    taken_at,
    taken_by,
    to,
    way_out,
)
from alcor.agent.shapes.shape import AnyFlow, Filled
from alcor.goal_state.entries import Forwarding, Network
from alcor.ovs.fields import (
    ETH_TYPE_ARP,
    ETH_TYPE_BY_VERSION,
    ETH_TYPE_IPV4,
    ETH_TYPE_IPV6,
    FIELD_BY_NAME,
    FIRST_FRAGMENT,
    FRAGMENT,
    IP_PROTO_ICMPV6,
    IP_PROTO_UDP,
    LATER_FRAGMENT,
)
from alcor.ovs.flow import (
    CT_DNAT,
    CT_INV,
    CT_SNAT,
    CT_TRK,
    DROP,
    CtClear,
    DecTtl,
    Flow,
    Instructions,
    Match,
    MatchFields,
    Nat,
    PopVlan,
    apply,
    ct,
    match,
    output,
    punt,
    set_field,
)
from alcor.ovs.match import term_of
from alcor.ovs.ranges import masks_of_range
from alcor.values.addresses import Address, Mac, Prefix

_ARP_REPLY, _ADVERTISE = 2, 136
_BFD_PORT, _BFD_TTL = 3784, 255  # RFC 5881 sections 4 and 5
_SEEN = (set_field(p.FLAGS, *p.TRANSLATED), set_field(p.SCOPE, p.SCOPE_ANY))
# What a host sent here to leave is from here now; an answer leaves by where its question came.
_FROM_HERE = set_field(p.FLAGS, *p.FROM_HERE)
_FROM_INSIDE = set_field(p.FLAGS, *p.FROM_INSIDE)
_TRACKED = (CT_TRK, CT_TRK | CT_INV)
_FLAGS = FIELD_BY_NAME[p.FLAGS]
_FROM_OUTSIDE = (p.FROM_UPLINK[0], p.FROM_UPLINK[1] | p.FROM_HERE[1])
_TO_NEIGHBOUR, _TO_ROUTER_IN = apply(goto=p.NEIGHBOUR), apply(goto=p.ROUTER_IN)


def host(cookie: int) -> Iterator[Flow]:
    """What is the same for all routers."""
    for family in (ETH_TYPE_IPV4, ETH_TYPE_IPV6):
        lost = match(eth_type=family, ct_state=(CT_TRK | CT_INV, CT_TRK | CT_INV))
        yield Flow(p.NAT_DONE, p.PRIORITY.guard, lost, DROP, cookie)
        any_ = match(eth_type=family)
        yield Flow(p.NAT_OUT, p.PRIORITY.lowest, any_, fault(p.Fault.NO_ROUTE), cookie)
        large = match(eth_type=family, reg0=p.TOO_LARGE)
        yield Flow(p.NAT_OUT, p.PRIORITY.guard + 1, large, fault(p.Fault.TOO_BIG), cookie)
    # The tracker goes on translating a connection as it began; it may only while that is so still.
    free = match(eth_type=ETH_TYPE_IPV4, reg3=0)
    yield Flow(p.NAT_CAME, p.PRIORITY.low, free, _TO_ROUTER_IN, cookie)


def network(network: Network, uplink: int, cookie: int) -> Iterator[Flow]:
    """A network that this host has an uplink to."""
    vni = network.vni
    came = match(in_port=uplink, vlan_vid=heard(network.vlan))
    flag = set_field(p.FLAGS, *p.FROM_UPLINK)
    untag = (PopVlan(),) if network.vlan else ()
    enter = apply(*untag, flag, goto=p.UPLINK_IN, metadata=(vni, VNI_FULL))
    yield Flow(p.CLASSIFY, p.PRIORITY.normal, came, enter, cookie)
    yield from _answers_heard(vni, uplink, cookie)
    rest = match(metadata=vni, reg0=p.FROM_MACHINE)
    yield Flow(p.L2_DST, p.PRIORITY.lowest, rest, apply(goto=p.UPLINK_OUT), cookie)
    leave = apply(*put_on(network.vlan), output(uplink))
    yield Flow(p.UPLINK_OUT, p.PRIORITY.normal, match(metadata=vni), leave, cookie)


def _answers_heard(vni: int, uplink: int, cookie: int) -> Iterator[Flow]:
    """The agent hears who answers; and what can't be forwarded."""
    meter = of_outside(uplink).id
    nd = (ETH_TYPE_IPV6, IP_PROTO_ICMPV6)
    say4 = match(metadata=vni, eth_type=ETH_TYPE_ARP, arp_op=_ARP_REPLY)
    say6 = match(metadata=vni, eth_type=nd[0], ip_proto=nd[1], icmpv6_type=_ADVERTISE)
    # Who sent what can't be forwarded is told as well, by its router.
    lost = apply(punt(userdata=p.PUNT_ROUTER), meter=meter)
    yield Flow(p.ROUTER_FAULT, p.PRIORITY.low, match(reg0=p.FROM_UPLINK), lost, cookie)
    heard = apply(punt(userdata=p.PUNT_HEARD), meter=meter)
    for says in (say4, say6):
        yield Flow(p.UPLINK_IN, p.PRIORITY.normal, says, heard, cookie)


def wanted(network: Network, uplink: int, cookie: int) -> Iterator[Flow]:
    """A network that routers leave by: the agent finds out who has a next hop there."""
    left = match(metadata=network.vni, reg0=(p.ROUTED[0], p.FROM_INSIDE[1] | p.ROUTED[1]))
    yield Flow(p.L2_DST, p.PRIORITY.lowest, left, apply(goto=p.UPLINK_OUT), cookie)
    meter = of_outside(uplink).id
    wanted = apply(punt(userdata=p.PUNT_WANTED), meter=meter)
    for family in (ETH_TYPE_IPV4, ETH_TYPE_IPV6):
        what = match(metadata=network.vni, eth_type=family)
        yield Flow(p.NEIGHBOUR, p.PRIORITY.low + 1, what, wanted, cookie)
    yield from _stale(network, uplink, cookie)


def _stale(network: Network, uplink: int, cookie: int) -> Iterator[Flow]:
    """A connection that is translated as it began, and no longer may be, goes no further. The
    agent has the tracker forget it, or it would last as long as its machine goes on sending."""
    to_agent = apply(punt(userdata=p.PUNT_STALE), meter=of_stale(uplink).id)
    for stage in (p.NAT_CAME, p.NAT_DONE):
        for state in (CT_SNAT, CT_DNAT):
            known = CT_TRK | state
            what = match(metadata=network.vni, eth_type=ETH_TYPE_IPV4, ct_state=(known, known))
            yield Flow(stage, p.PRIORITY.lowest, what, to_agent, cookie)


def resolved(network: Network, address: Address, mac: Mac, cookie: int) -> Filled:
    """Somebody outside whom the agent has found."""
    return hop(network, address, mac, cookie)


def router(view: RouterView, cookie: int) -> Iterator[AnyFlow]:
    """A router's ways out: what leads there, what it takes from there, what becomes of it."""
    yield from ways_out.defaults(view, cookie)
    yield from named(view, cookie)
    connected: set[Prefix] = set()
    for exit_ in view.exits:
        for subnet in exit_.subnets:
            if subnet.prefix not in connected:  # of several ways to one the first
                connected.add(subnet.prefix)
                way = way_out(view, exit_, hop_itself(subnet.prefix.version))
                yield route(view, subnet.prefix, way, 1, cookie)
        yield from _exit(view, exit_, cookie)


def _exit(view: RouterView, exit_: Exit, cookie: int) -> Iterator[AnyFlow]:
    for version in (4, 6):
        for address in exit_.addresses(version):
            # What comes from inside may be an answer to a connection that was translated.
            translated = p.TRANSLATED if version == 4 else (0, 0)
            yield from own(view, address, cookie, translated)
            yield hop(exit_.network, address, exit_.mac, cookie)
    if exit_.is_here:
        if view.bfd:
            yield from _next_hop_heard(exit_, cookie)
        yield from _admit(view, exit_, cookie)
        yield from _leave_here(view, exit_, cookie)
    elif exit_.central is not None and exit_.central.version == 4:
        yield from _leave_there(view, exit_, exit_.central, cookie)


def _next_hop_heard(exit_: Exit, cookie: int) -> Iterator[Flow]:
    """The agent hears whether the next hop lives (`punts/bfd.py`)."""
    told = apply(punt(userdata=p.PUNT_BFD), meter=of_bfd(exit_.uplink).id)
    for version in (4, 6):
        hop, own = exit_.default_hop(version), exit_.addresses(version)
        if hop is None or not own:
            continue
        says: MatchFields = {"metadata": exit_.network.vni, "eth_dst": exit_.mac}
        says |= {"eth_type": ETH_TYPE_BY_VERSION[version], "ip_proto": IP_PROTO_UDP}
        says |= {"udp_dst": _BFD_PORT, "ip_ttl": _BFD_TTL}
        if version == 4:
            says |= {"ipv4_src": hop.number, "ipv4_dst": own[0].number}
        else:
            says |= {"ipv6_src": hop.number, "ipv6_dst": own[0].number}
        yield Flow(p.UPLINK_IN, p.PRIORITY.normal, match(**says), told, cookie)


def _admit(view: RouterView, exit_: Exit, cookie: int) -> Iterator[Flow]:
    """What comes to the router's MAC outside: from there, or from a host without uplink."""
    vni, mac = exit_.network.vni, exit_.mac
    for what, taken in taken_at(view, exit_, exit_.network, mac, p.NAT_IN):
        yield Flow(p.L2_DST, p.PRIORITY.normal, what, taken, cookie)
        yield _sized(view, exit_, what, taken, cookie)
    # Its hop was counted and its limits were looked at where it came from.
    from_host = match(metadata=vni, eth_dst=mac, reg0=p.FROM_TUNNEL)
    yield Flow(p.L2_DST, p.PRIORITY.normal, from_host, taken_by(view, p.ROUTE), cookie)
    for address in exit_.addresses(4):
        anybody = set_field(p.STANDS_FOR, 0)
        kept = limiting(exit_.limits, ingress=True)
        back = apply(*kept, CtClear(), *_SEEN, anybody, ct(exit_.zone, table=p.NAT_CAME, nat=Nat()))
        mine = to(view, address)
        yield from translating(view, p.NAT_IN, p.PRIORITY.normal, mine, back, cookie)


def _sized(view: RouterView, exit_: Exit, taken: Match, how: Instructions, cookie: int) -> Flow:
    """The same of what comes by an uplink, whose sender is told if it is too large for inside."""
    rest = (term for term in taken.terms if term.field != _FLAGS.place)
    came = Match(tuple(sorted((*rest, term_of(_FLAGS, *_FROM_OUTSIDE)))))
    known = how._replace(actions=(*sized(view, exit_), *how.actions))
    return Flow(p.L2_DST, p.PRIORITY.normal + 1, came, known, cookie)


def _leave_here(view: RouterView, exit_: Exit, cookie: int) -> Iterator[Flow]:
    """By this host's uplink; what the router itself says is not translated."""
    hop_on = (_FROM_HERE, DecTtl(), set_field("eth_src", exit_.mac))
    answer = apply(_FROM_INSIDE, *hop_on, goto=p.NEIGHBOUR)
    on = (*counting(view.taps.egress), *hop_on)
    plain = apply(*on, goto=p.NEIGHBOUR)
    own4 = exit_.addresses(4)
    beside = [each for each in view.exits if each.network.id == exit_.network.id]
    said = [leaving(view, exit_, 4, ipv4_src=a.number) for e in beside for a in e.addresses(4)]
    said += [leaving(view, exit_, 6, ipv6_src=a.number) for e in beside for a in e.addresses(6)]
    for what in said:
        yield Flow(p.NAT_OUT, p.PRIORITY.guard, match(**what), answer, cookie)
    every4, every6 = (leaving(view, exit_, version) for version in (4, 6))
    translated = plain
    if exit_.snat and own4:
        nat = Nat("source", 4, own4[0].number)
        known = set_field(p.STANDS_FOR, own4[0].number)
        translated = apply(*on, known, ct(exit_.zone, commit=True, table=p.NAT_DONE, nat=nat))
        own = own4[0].number
        left = match(**held_by(view, 4, reg3=own, ipv4_src=own))
        kept = apply(*limiting(exit_.limits, ingress=False), goto=p.NEIGHBOUR)
        yield Flow(p.NAT_DONE, p.PRIORITY.normal, left, kept, cookie)
    yield from translating(view, p.NAT_OUT, p.PRIORITY.low, every4, translated, cookie)
    yield Flow(p.NAT_OUT, p.PRIORITY.low, match(**every6), plain, cookie)


def _leave_there(view: RouterView, exit_: Exit, host: Address, cookie: int) -> Iterator[Flow]:
    """By another host's uplink: what was not sent here by a host goes there as it is."""
    away = apply(
        set_field("eth_dst", exit_.mac),
        set_field(p.TUNNEL_REMOTE, host.number),
        goto=p.TUNNEL_OUT,
    )
    for version in (4, 6):
        what = match(**leaving(view, exit_, version, reg0=p.FROM_HERE))
        yield Flow(p.NAT_OUT, p.PRIORITY.low, what, away, cookie)


def floating(view: RouterView, home: Home, cookie: int) -> Iterator[AnyFlow]:
    """A floating IP; every host of the router knows its MAC, its home translates."""
    exit_, address, mac = home.exit, home.floating.address, home.floating.mac
    yield hop(exit_.network, address, mac, cookie)
    yield from ways_out.of_floating(view, home, cookie)
    if not home.is_here:
        return
    mine = match(metadata=exit_.network.vni, eth_dst=mac, reg0=p.FROM_HERE)
    taken = taken_by(view, p.NAT_IN)
    yield Flow(p.L2_DST, p.PRIORITY.normal, mine, taken, cookie)
    yield _sized(view, exit_, mine, taken, cookie)
    if home.floating.fixed is not None and address.version == 4:
        yield from _translate(view, home, home.floating.fixed, cookie)
    else:
        nothing = fault(p.Fault.NO_SERVICE)
        # What a machine inside sends there leaves first, and comes back as from the router.
        for came in (p.FROM_UPLINK, p.ROUTED):
            nobody = match(**(to(view, address) | {"reg0": came}))
            yield Flow(p.ROUTER_IN, p.PRIORITY.high, nobody, nothing, cookie)
    for forwarding in home.forwardings:
        yield from _forward(view, home, forwarding, cookie)
    yield from _forward_fragments(view, home, cookie)
    if home.forwardings:
        yield from named_by_forwarded(view, home, cookie)


def _forward_fragments(view: RouterView, home: Home, cookie: int) -> Iterator[Flow]:
    """No flow sees the ports of a fragment, so the tracker is asked first: it waits for all.

    Then it knows those of the first one, and, of a connection that it knows, where all of them go.
    Where those of a new one go is known where the protocol is forwarded to one place only. The
    first one's port decides whether any goes further, as all wait for it once more.
    """
    if not home.forwardings:
        return
    mine = to(view, home.floating.address)
    part = match(**(mine | {"ip_frag": FRAGMENT, "reg0": (0, p.TRANSLATED[1])}))
    ask = apply(CtClear(), *_SEEN, ct(home.exit.zone, table=p.NAT_IN))
    yield Flow(p.NAT_IN, p.PRIORITY.guard + 1, part, ask, cookie)
    for protocol in sorted({each.protocol for each in home.forwardings}):
        targets = {
            nat for each in home.forwardings if each.protocol == protocol for _, nat in _ports(each)
        }
        what: MatchFields = {"ip_proto": protocol, "ip_frag": LATER_FRAGMENT, "reg0": p.TRANSLATED}
        is_clear = len(targets) == 1
        nat = targets.pop() if is_clear else Nat()
        track = ct(home.exit.zone, commit=is_clear, table=p.NAT_CAME, nat=nat)
        kept = limiting(home.limits, ingress=True)
        enter = apply(*kept, CtClear(), set_field(p.STANDS_FOR, 0), track)
        yield Flow(p.NAT_IN, p.PRIORITY.guard, match(**(mine | what)), enter, cookie)


def _ports(forwarding: Forwarding) -> Iterator[tuple[tuple[int, int], Nat]]:
    """The ports of the address, under as few masks as their numbers allow, and what they become."""
    first, last = forwarding.outer
    shift = forwarding.inner[0] - first
    inside = forwarding.address.number
    if forwarding.inner[0] == forwarding.inner[1]:
        for ports in masks_of_range(first, last):
            yield ports, Nat("destination", 4, inside, forwarding.inner[0])
    elif shift == 0:
        for ports in masks_of_range(first, last):
            yield ports, Nat("destination", 4, inside)  # the port stays as it is
    else:
        for port in range(first, last + 1):
            yield (port, 0xFFFF), Nat("destination", 4, inside, port + shift)


def _forward(view: RouterView, home: Home, forwarding: Forwarding, cookie: int) -> Iterator[Flow]:
    """Some ports of the address, as few flows as their numbers allow."""
    field = {6: "tcp_dst", 17: "udp_dst", 132: "sctp_dst"}[forwarding.protocol]
    inside = forwarding.address.number
    known = set_field(p.STANDS_FOR, inside)
    mine = to(view, home.floating.address) | {"ip_proto": forwarding.protocol}
    own: MatchFields = {"ipv4_src": home.floating.address.number}
    for ports, nat in _ports(forwarding):
        kept = limiting(home.limits, ingress=True)
        track = ct(home.exit.zone, commit=True, table=p.NAT_CAME, nat=nat)
        enter = apply(*kept, CtClear(), *_SEEN, known, track)
        what = cast(MatchFields, mine | {field: ports})
        yield Flow(p.NAT_IN, p.PRIORITY.guard, match(**what), enter, cookie)
        for helper in view.helpers:
            if helper.protocol == forwarding.protocol and helper.port & ports[1] == ports[0]:
                spoken = match(**cast(MatchFields, mine | {field: helper.port}))
                read = read_along(enter, helper)
                yield Flow(p.NAT_IN, p.PRIORITY.guard + 1, spoken, read, cookie)
        connection: MatchFields = {
            "ct_state": _TRACKED,
            "ct_nw_proto": forwarding.protocol,
            "ct_tp_dst": ports,
        }
        part: MatchFields = {"ip_frag": FIRST_FRAGMENT, "reg0": p.TRANSLATED}
        first = match(**(mine | connection | part))
        yield Flow(p.NAT_IN, p.PRIORITY.guard, first, enter, cookie)
        left = held_by(view, 4, **(connection | own))
        leave = apply(*limiting(home.limits, ingress=False), goto=p.NEIGHBOUR)
        yield Flow(p.NAT_DONE, p.PRIORITY.normal, match(**left), leave, cookie)
    yield from _follow_first(view, home, forwarding.protocol, cookie)
    came = match(**held_by(view, 4, reg3=inside, ipv4_dst=inside))
    yield Flow(p.NAT_CAME, p.PRIORITY.normal, came, _TO_ROUTER_IN, cookie)


def _follow_first(view: RouterView, home: Home, protocol: int, cookie: int) -> Iterator[Flow]:
    """What follows a first fragment of an answer has no ports; without its first, which is asked
    about its port, it is nothing."""
    left = held_by(
        view,
        4,
        ipv4_src=home.floating.address.number,
        ct_state=_TRACKED,
        ct_nw_proto=protocol,
        ip_frag=LATER_FRAGMENT,
    )
    leave = apply(*limiting(home.limits, ingress=False), goto=p.NEIGHBOUR)
    yield Flow(p.NAT_DONE, p.PRIORITY.normal, match(**left), leave, cookie)


def _translate(view: RouterView, home: Home, fixed: Address, cookie: int) -> Iterator[Flow]:
    zone, address = home.exit.zone, home.floating.address
    inward = Nat("destination", 4, fixed.number)
    known = set_field(p.STANDS_FOR, fixed.number)
    kept = limiting(home.limits, ingress=True)
    track = ct(zone, commit=True, table=p.NAT_CAME, nat=inward)
    enter = apply(*kept, CtClear(), *_SEEN, known, track)
    mine = to(view, address)
    yield from translating(view, p.NAT_IN, p.PRIORITY.high, mine, enter, cookie)
    outward = Nat("source", 4, address.number)
    leave = apply(
        *counting(view.taps.egress),
        _FROM_HERE,
        DecTtl(),
        set_field("eth_src", home.floating.mac),
        set_field(p.STANDS_FOR, address.number),
        ct(zone, commit=True, table=p.NAT_DONE, nat=outward),
    )
    said = leaving(view, home.exit, 4, ipv4_src=fixed.number)
    yield from translating(view, p.NAT_OUT, p.PRIORITY.normal, said, leave, cookie)
    came = match(**held_by(view, 4, reg3=fixed.number, ipv4_dst=fixed.number))
    yield Flow(p.NAT_CAME, p.PRIORITY.normal, came, _TO_ROUTER_IN, cookie)
    # A connection from before it had a floating IP goes on as the router's.
    for allowed in (address, *home.exit.addresses(4)[:1]):
        left = match(**held_by(view, 4, reg3=address.number, ipv4_src=allowed.number))
        on = apply(*limiting(home.limits, ingress=False), goto=p.NEIGHBOUR)
        yield Flow(p.NAT_DONE, p.PRIORITY.normal, left, on, cookie)
