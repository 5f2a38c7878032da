"""ROUTE_SCOPE and NAT_OUT: between address scopes a router forwards only what it translates.

A router whose subnets are all of one scope (or of none) needs nothing of this. With several scopes,
a packet may go on only into subnets of the scope that it came from, unless it was translated by a
floating IP or a port forwarding. To the outside, IPv4 of the external network's own scope leaves as
it is and other IPv4 is translated; what can't be (IPv6, or without source NAT) stays inside.

Source: the Networking guide of OpenStack, "Address scopes".
"""

from collections.abc import Iterator

from alcor.agent.model.routers.exits import Exit
from alcor.agent.model.routers.routing import Leg, RouterView
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.router import fault, held_by, leaving, onward
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6
from alcor.ovs.flow import DecTtl, Flow, MatchFields, apply, match, set_field
from alcor.values.addresses import Prefix

_NO_ROUTE = fault(p.Fault.NO_ROUTE)
# Beneath floating IPs, above what is so for all that leaves.
_BY_SOURCE = p.PRIORITY.low + 10
_FROM_HERE = set_field(p.FLAGS, *p.FROM_HERE)


def host(cookie: int) -> Iterator[Flow]:
    """What no flow of a router lets into a scope is told that there is no way."""
    for family in (ETH_TYPE_IPV4, ETH_TYPE_IPV6):
        yield Flow(p.ROUTE_SCOPE, p.PRIORITY.low, match(eth_type=family), _NO_ROUTE, cookie)


def router(view: RouterView, cookie: int) -> Iterator[Flow]:
    """What may come to each subnet of a router, and what becomes of what leaves it."""
    if not view.joins_scopes:
        return
    for leg in view.legs:
        yield from _into(view, leg, cookie)
    for exit_ in view.exits:
        for leg in view.legs:
            yield from _out(view, leg, exit_, cookie)


def _into(view: RouterView, leg: Leg, cookie: int) -> Iterator[Flow]:
    on = apply(goto=onward(view, leg))
    for version in (4, 6):
        for scope in (view.scope_number(version, leg.scope(version)), p.SCOPE_ANY):
            what = match(**held_by(view, version, metadata=leg.network.vni, reg1=scope))
            yield Flow(p.ROUTE_SCOPE, p.PRIORITY.normal, what, on, cookie)


def _out(view: RouterView, leg: Leg, exit_: Exit, cookie: int) -> Iterator[Flow]:
    as_it_is = apply(_FROM_HERE, DecTtl(), set_field("eth_src", exit_.mac), goto=p.NEIGHBOUR)
    for prefix in leg.prefixes:
        is_same = leg.scope(prefix.version) == exit_.scope(prefix.version)
        translated = prefix.version == 4 and exit_.snat
        what = match(**_from(view, exit_, prefix))
        if not is_same and not translated:
            yield Flow(p.NAT_OUT, _BY_SOURCE, what, _NO_ROUTE, cookie)
        elif is_same and translated and leg.scope(4) and exit_.is_here:
            yield Flow(p.NAT_OUT, _BY_SOURCE, what, as_it_is, cookie)


def _from(view: RouterView, exit_: Exit, prefix: Prefix) -> MatchFields:
    source = (prefix.number, prefix.mask)
    if prefix.version == 4:
        return leaving(view, exit_, 4, ipv4_src=source)
    return leaving(view, exit_, 6, ipv6_src=source)
