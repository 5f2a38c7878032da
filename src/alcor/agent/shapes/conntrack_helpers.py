"""NAT_IN, NAT_CAME, NAT_OUT, NAT_DONE: protocols that the connection tracker reads.

FTP and TFTP announce further connections inside their packets. If a router has a helper for them,
the tracker also changes the addresses in these packets, and recognises the announced connections as
related: they are translated in the same way, even though nobody inside opened them.

Source: ovs-actions(7), "ct", alg; flows of both directions name the helper, for unusual ports.
"""

from collections.abc import Iterator
from itertools import chain
from typing import cast

from alcor.agent.model.routers.exits import Home
from alcor.agent.model.routers.routing import RouterView
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.router import held_by, to
from alcor.goal_state.entries import Helper
from alcor.ovs.fields import IP_PROTO_TCP
from alcor.ovs.flow import (
    CT_INV,
    CT_NEW,
    CT_REL,
    CT_TRK,
    Ct,
    CtClear,
    Flow,
    Instructions,
    Match,
    MatchFields,
    Nat,
    apply,
    ct,
    match,
    move,
    set_field,
)

_NAMED = CT_TRK | CT_REL
_NAMED_NEW = _NAMED | CT_NEW


def translating(
    view: RouterView,
    table: int,
    priority: int,
    what: MatchFields,
    how: Instructions,
    cookie: int,
) -> Iterator[Flow]:
    """A flow that translates; and the same, read along, of what the router has helpers for."""
    yield Flow(table, priority, match(**what), how, cookie)
    if not any(isinstance(each, Ct) for each in how.actions):
        return
    for helper in view.helpers:
        is_tcp = helper.protocol == IP_PROTO_TCP
        if is_tcp:  # a TFTP server answers from another port
            answer = _answering(read_along(how, helper))
            from_it = _spoken(what, helper, "tcp_src")
            yield Flow(table, priority + 1, from_it, answer, cookie)
        to_it = _spoken(what, helper, "tcp_dst" if is_tcp else "udp_dst")
        yield Flow(table, priority + 1, to_it, read_along(how, helper), cookie)


def _spoken(what: MatchFields, helper: Helper, port: str) -> Match:
    spoken = cast(MatchFields, {"ip_proto": helper.protocol, port: helper.port})
    return match(**(what | spoken))


def read_along(how: Instructions, helper: Helper) -> Instructions:
    """The same, read along as it is translated."""
    actions = (e._replace(alg=helper.name) if isinstance(e, Ct) else e for e in how.actions)
    return how._replace(actions=tuple(actions))


def _answering(how: Instructions) -> Instructions:
    """A userspace switch knows an answer that it is to read by its ports, of which it compares
    the destination's as far as it has been looked at: so let all of that be looked at."""
    look = move("tcp_dst", p.METER, 16)
    actions = chain.from_iterable((look, e) if isinstance(e, Ct) else (e,) for e in how.actions)
    return how._replace(actions=tuple(actions))


def named(view: RouterView, cookie: int) -> Iterator[Flow]:
    """What comes from outside and nobody inside has begun: it goes to who was named."""
    for exit_ in view.exits[:1] if view.helpers else ():
        new = match(**held_by(view, 4, reg3=0, ct_state=(_NAMED_NEW, _NAMED_NEW)))
        keep = apply(ct(exit_.zone, commit=True, table=p.ROUTER_IN, nat=Nat()))
        yield Flow(p.NAT_CAME, p.PRIORITY.normal, new, keep, cookie)


def named_by_forwarded(view: RouterView, home: Home, cookie: int) -> Iterator[Flow]:
    """What is named by connections to a floating IP of which only some ports are forwarded."""
    if not view.helpers:
        return
    zone, address = home.exit.zone, home.floating.address
    seen = (set_field(p.FLAGS, *p.TRANSLATED), set_field(p.SCOPE, p.SCOPE_ANY))
    anybody = set_field(p.STANDS_FOR, 0)
    enter = apply(CtClear(), *seen, anybody, ct(zone, table=p.NAT_CAME, nat=Nat()))
    yield Flow(p.NAT_IN, p.PRIORITY.normal, match(**to(view, address)), enter, cookie)
    left = match(**held_by(view, 4, ipv4_src=address.number, ct_state=(_NAMED, _NAMED | CT_INV)))
    yield Flow(p.NAT_DONE, p.PRIORITY.normal, left, apply(goto=p.NEIGHBOUR), cookie)
