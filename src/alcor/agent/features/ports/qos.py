"""QOS_*, PPS_*: how much a port sends and receives, by meters of its own, how it is marked, and by
which queue of an uplink it leaves.

Packets that are answered or dropped here don't count: QOS_OUT and PPS_OUT come after the rules for
what a port sends, QOS_IN and PPS_IN after those for what it receives. A flow can name one meter
only, so bits and packets are limited in a stage each.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

from alcor.agent.model.model import Wired
from alcor.agent.model.ports import meter as m
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Limit, QosPolicy
from alcor.ovs.fields import ETH_TYPE_BY_VERSION
from alcor.ovs.flow import Flow, Match, MatchFields, SetQueue, apply, ct, match, set_field


class _Stage(NamedTuple):
    """Where a kind of limit is kept, what comes next, and the register of the port."""

    table: int
    onward: int
    port: str


_STAGE = {  # by ingress, per packet
    (False, False): _Stage(p.QOS_OUT, p.PPS_OUT, p.PORT_IN),
    (False, True): _Stage(p.PPS_OUT, p.L2_DST, p.PORT_IN),
    (True, False): _Stage(p.QOS_IN, p.PPS_IN, p.PORT_OUT),
    (True, True): _Stage(p.PPS_IN, p.DELIVER, p.PORT_OUT),
}
_MARKING = _STAGE[False, False]


def port(wired: Wired, policy: QosPolicy, slot: int, queue: int, cookie: int) -> Iterator[Flow]:
    """What a policy means for one port; it leaves by this queue of uplinks, unless it is 0."""
    queued = (SetQueue(queue),) if queue else ()
    for limit in policy.limits:
        stage = _STAGE[limit.ingress, limit.per_packet]
        does = queued if stage == _MARKING else ()
        kept = apply(*does, goto=stage.onward, meter=_meter(limit, slot).id)
        what = _of(stage.port, wired.number)
        yield Flow(stage.table, p.PRIORITY.normal, what, kept, cookie)
    if queued and not any(limit[:2] == (False, False) for limit in policy.limits):
        what = _of(_MARKING.port, wired.number)
        kept = apply(*queued, goto=_MARKING.onward)
        yield Flow(_MARKING.table, p.PRIORITY.normal, what, kept, cookie)
    if any(limit.ingress for limit in policy.limits) and not wired.port.filtered:
        yield from _copied_apart(wired, cookie)
    if policy.dscp is not None:
        meters = [_meter(each, slot).id for each in policy.limits if each[:2] == (False, False)]
        marked = apply(
            *queued,
            set_field("ip_dscp", policy.dscp),
            goto=_MARKING.onward,
            meter=meters[0] if meters else None,
        )
        for eth_type in ETH_TYPE_BY_VERSION.values():
            what = _of(_MARKING.port, wired.number, eth_type=eth_type)
            yield Flow(_MARKING.table, p.PRIORITY.high, what, marked, cookie)


def _copied_apart(wired: Wired, cookie: int) -> Iterator[Flow]:
    """A copy of a multicast comes by the tracker, which makes a packet of its own of it.

    Else its meter would be the switch's for all copies that are made after it, as the switch makes
    no clones where it can take back what was changed. Connections are tracked anyway, with the same
    effect, for ports that are filtered.
    """
    for eth_type in ETH_TYPE_BY_VERSION.values():
        what = _of(p.PORT_OUT, wired.number, eth_type=eth_type)
        apart = apply(ct(wired.number, table=p.ACL_IN))
        yield Flow(p.COPY, p.PRIORITY.low, what, apart, cookie)


def meters(policy: QosPolicy, slot: int) -> Iterator[m.Meter]:
    """The meters that its flows name."""
    for limit in policy.limits:
        yield _meter(limit, slot)


def _meter(limit: Limit, slot: int) -> m.Meter:
    return m.of_limit(slot, limit.ingress, limit.per_packet, limit.rate, limit.burst)


def _of(register: str, value: int, **fields: int) -> Match:
    return match(**cast(MatchFields, {register: value, **fields}))
