"""ROUTE, ROUTE_PICK: by which of its ways out a router sends what no other route leads to.

With one gateway all goes there. With several what answers, or is of a floating IP, leaves by the
way that it came or belongs to; all else by the first, or by all of them in turn, a connection by
one (ECMP). Those get no share whose next hops BFD finds down, unless it finds all so. What another
host has chosen a way for, and sent here to leave, leaves that way.

Of a machine with floating IPs of several networks the tracker knows by which a question came; what
answers none leaves by the first. Fragments have no ports: of those too the tracker knows which ones
answer a question to a forwarded port. Where it doesn't translate the question it notes which host
has sent it, as that is where the answer leaves.

Source: Neutron API reference v2, "Routers" (external_gateways,
enable_default_route_ecmp, enable_default_route_bfd).
"""

from collections.abc import Iterator
from typing import Unpack, cast

from alcor.agent.model.ports.tags import heard
from alcor.agent.model.routers.exits import Exit, Home
from alcor.agent.model.routers.routing import RouterView
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.router import (
    VNI_FULL,
    Way,
    came_by,
    held_by,
    hop_by,
    route,
    way_out,
)
from alcor.ovs.fields import ETH_TYPE_IPV4, FRAGMENT
from alcor.ovs.flow import (
    CT_RPL,
    CT_TRK,
    CtClear,
    Flow,
    Instructions,
    Match,
    MatchFields,
    apply,
    ct,
    match,
    multipath,
    set_field,
)
from alcor.ovs.ranges import masks_of_range
from alcor.values.addresses import Address, Prefix

_EVERYWHERE = (Prefix(4, 0, 0), Prefix(6, 0, 0))
_DEFAULT = p.PRIORITY.guard - 4  # in ROUTE: beneath what is sent on to where it was sent here for
# In ROUTE_PICK, where only defaults bear the VNI of the first way out: its sources come first.
_OWN = p.PRIORITY.guard - 1
_FLOATING = 30_000  # and of several the first in order
_ANSWERS = CT_TRK | CT_RPL
_SOURCE_PORT = {6: "tcp_src", 17: "udp_src", 132: "sctp_src"}


def defaults(view: RouterView, cookie: int) -> Iterator[Flow]:
    """The default routes of a router; those of tenants are made with all others."""
    if len(view.exits) > 1:
        yield from _of_several(view, cookie)
        return
    for exit_ in view.exits:
        for prefix in _EVERYWHERE:
            way = _default(view, exit_, prefix.version)
            if way is not None:
                # A tenant's own default comes first.
                yield route(view, prefix, way, -1, cookie)


def _of_several(view: RouterView, cookie: int) -> Iterator[Flow]:
    for version in (4, 6):
        used = _used(view, version)
        if not used:
            continue
        pick = multipath(len(used), p.PICK) if len(used) > 1 else set_field(p.PICK, 0)
        what = match(**held_by(view, version))
        choose = apply(pick, goto=p.ROUTE_PICK, metadata=_mark(view))
        yield Flow(p.ROUTE, _DEFAULT, what, choose, cookie)
        for number, (_, way) in enumerate(used):
            picked = _picked(view, version, reg4=(number, p.ASKED[1] - 1))
            yield Flow(p.ROUTE_PICK, _DEFAULT, picked, _by(way), cookie)
        for exit_, way in _ways(view, version):
            if exit_.is_here:
                sent = match(**_sent_here(view, exit_, version))
                yield Flow(p.ROUTE, _DEFAULT + 1, sent, _by(way), cookie)
            # What the agent says to who sent something by that way.
            flag, mask = came_by(view, exit_)
            said = match(**held_by(view, version, reg0=(flag, mask | p.FROM_INSIDE[1])))
            yield Flow(p.ROUTE, _DEFAULT + 3, said, _by(way), cookie)
            for own in exit_.addresses(version):
                said = _picked(view, version, **_from(own))
                yield Flow(p.ROUTE_PICK, _OWN, said, _by(way), cookie)


def of_floating(view: RouterView, home: Home, cookie: int) -> Iterator[Flow]:
    """Of several ways out: who has a floating IP leaves by its network, and is seen as it is."""
    way = _default(view, home.exit, 4)
    floating = home.floating
    if len(view.exits) < 2 or way is None or floating.address.version != 4:
        return
    priority = _FLOATING - home.place
    if floating.fixed is not None:
        said = _picked(view, 4, **_from(floating.fixed))
        yield Flow(p.ROUTE_PICK, priority, said, _by(way), cookie)
    if home.asks and floating.fixed is not None:
        yield from _answers_of(view, home, floating.fixed, {}, {}, way, cookie)
    for each in home.forwardings:
        port = _SOURCE_PORT[each.protocol]
        fields = _from(each.address) | {"ip_proto": each.protocol}
        for ports in masks_of_range(*each.inner):
            said = _picked(view, 4, **(fields | cast(MatchFields, {port: ports})))
            yield Flow(p.ROUTE_PICK, priority, said, _by(way), cookie)
    for source, protocol in sorted({(e.address, e.protocol) for e in home.forwardings}):
        part: MatchFields = {"ip_frag": FRAGMENT}
        yield from _answers_of(view, home, source, {"ip_proto": protocol}, part, way, cookie)


def _answers_of(
    view: RouterView,
    home: Home,
    inside: Address,
    which: MatchFields,
    part: MatchFields,
    way: Way,
    cookie: int,
) -> Iterator[Flow]:
    """What an address inside says, a part of `which`, leaves by the way that it was asked by."""
    said = _from(inside) | which | part
    if home.is_here:
        yield from _by_question(view, home, said, way, cookie)
    elif home.exit.central is not None and home.exit.central.version == 4:
        yield from _noted(view, home.exit.central, inside, which, home.exit.zone, cookie)
        yield _asking(view, home, said, cookie)
        there = (each for each in _ways(view, 4) if each[0].central == home.exit.central)
        known: MatchFields = {"reg4": p.ASKED, "ct_state": (_ANSWERS, _ANSWERS)}
        known["ct_mark"] = home.exit.central.number
        noted = _picked(view, 4, **(said | known))
        # Of several ways by that host the first: it knows itself by which the question came.
        yield Flow(p.ROUTE_PICK, _FLOATING + 2, noted, _by(next(there)[1]), cookie)


def _noted(
    view: RouterView, host: Address, inside: Address, which: MatchFields, zone: int, cookie: int
) -> Iterator[Flow]:
    """What a router sends here from another host: the tracker notes from which, for its answer."""
    leg = view.leg_towards(inside)
    if leg is None:
        return
    vni = leg.network.vni
    fields: MatchFields = {"eth_type": ETH_TYPE_IPV4, "ipv4_dst": inside.number}
    fields |= {"eth_src": leg.mac, "tun_id": vni, "tun_src": host.number, "vlan_vid": heard(0)}
    note = ct(zone, commit=True, committed=(set_field("ct_mark", host.number),))
    enter = apply(note, CtClear(), set_field(p.FLAGS, *p.FROM_TUNNEL))
    on = enter._replace(metadata=(vni, VNI_FULL), goto=p.L2_DST)
    yield Flow(p.CLASSIFY, p.PRIORITY.high, match(**(fields | which)), on, cookie)


def _asking(view: RouterView, home: Home, said: MatchFields, cookie: int) -> Flow:
    """The tracker is asked, once; for all fragments of a datagram it waits."""
    known = ct(home.exit.zone, table=p.ROUTE_PICK)
    ask = apply(CtClear(), set_field(p.PICK, *p.ASKED), known)
    unasked = _picked(view, 4, **(said | {"reg4": p.UNASKED}))
    return Flow(p.ROUTE_PICK, _FLOATING + 1, unasked, ask, cookie)


def _by_question(
    view: RouterView, home: Home, said: MatchFields, way: Way, cookie: int
) -> Iterator[Flow]:
    """What answers a question to the floating IP leaves by its way, whichever is chosen else."""
    yield _asking(view, home, said, cookie)
    answers: MatchFields = {"reg4": p.ASKED, "ct_state": (_ANSWERS, _ANSWERS)}
    answers["ct_nw_dst"] = home.floating.address.number
    yield Flow(p.ROUTE_PICK, _FLOATING + 2, _picked(view, 4, **(said | answers)), _by(way), cookie)
    # Another host, which doesn't translate it, has chosen without knowing.
    used = [exit_ for exit_, _ in _used(view, 4)]
    for exit_ in view.exits:
        if exit_.is_here and exit_ in (*used, home.exit):
            number = used.index(exit_) if exit_ in used else 0
            sent = match(**(_sent_here(view, exit_, 4) | said))
            again = apply(set_field(p.PICK, number), goto=p.ROUTE_PICK, metadata=_mark(view))
            yield Flow(p.ROUTE, _DEFAULT + 2, sent, again, cookie)


def _ways(view: RouterView, version: int) -> list[tuple[Exit, Way]]:
    """The ways out that have a default of a family."""
    every = [(each, _default(view, each, version)) for each in view.exits]
    return [(exit_, way) for exit_, way in every if way is not None]


def _used(view: RouterView, version: int) -> list[tuple[Exit, Way]]:
    """Those among which all else is divided; those that are down only if all are."""
    every = _ways(view, version)
    ways = [each for each in every if not (view.bfd and each[0].is_down)] or every
    return ways if view.ecmp else ways[:1]


def _mark(view: RouterView) -> tuple[int, int]:
    """The VNI that only defaults bear in ROUTE_PICK."""
    return view.exits[0].network.vni, VNI_FULL


def _sent_here(view: RouterView, exit_: Exit, version: int) -> MatchFields:
    """Conditions on a packet that another host has sent here to leave by one way."""
    vni, mac = exit_.network.vni, exit_.mac
    return held_by(view, version, metadata=vni, eth_dst=mac, reg0=p.FROM_TUNNEL)


def _default(view: RouterView, exit_: Exit, version: int) -> Way | None:
    hop = exit_.default_hop(version)
    return way_out(view, exit_, hop_by(hop)) if hop is not None else None


def _by(way: Way) -> Instructions:
    return apply(*way.actions, goto=way.goto, metadata=(way.network.vni, VNI_FULL))


def _from(source: Address) -> MatchFields:
    if source.version == 4:
        return {"ipv4_src": source.number}
    return {"ipv6_src": source.number}


def _picked(view: RouterView, version: int, **fields: Unpack[MatchFields]) -> Match:
    """A packet that only a default leads on."""
    fields["metadata"] = view.exits[0].network.vni
    return match(**held_by(view, version, **fields))
