"""METERED: counts what passes routers' gateways, by one flow for each rule of a metering label.

Where a router takes a packet from outside, or sends one there, METERED is asked once for every
label that counts there; the flow that answers does nothing but count. So a packet is counted once
for each label, by its addresses on the inside, and on the one host where it leaves or enters.
"""

from collections.abc import Iterable, Iterator

from alcor.agent.model.routers.metering import tap_of
from alcor.agent.model.routers.routing import RouterView
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.router import counting, held_by
from alcor.goal_state.entries import MeteringRule
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6
from alcor.ovs.flow import (
    DROP,
    Flow,
    Match,
    MatchFields,
    apply,
    match,
)
from alcor.values.addresses import Prefix

_WORD = 0xFFFF_FFFF
_TO_ROUTE = p.ROUTE


def router(view: RouterView, cookie: int) -> Iterator[Flow]:
    """What comes from outside is counted before it is routed; what leaves, by NAT_OUT."""
    if not view.taps.ingress:
        return
    on = apply(*counting(view.taps.ingress), goto=_TO_ROUTE)
    for version in (4, 6):
        came = match(**held_by(view, version, reg0=p.FROM_UPLINK))
        yield Flow(p.ROUTER_IN, p.PRIORITY.lowest, came, on, cookie)


def label(rules: Iterable[MeteringRule], cookie: int) -> Iterator[Flow]:
    """What counts for a label."""
    return (flow for _, flow in flows(rules, cookie))


def flows(rules: Iterable[MeteringRule], cookie: int) -> Iterator[tuple[MeteringRule, Flow]]:
    """A flow a rule; what a rule excludes is found first."""
    for rule in rules:
        priority = p.PRIORITY.high if rule.excluded else p.PRIORITY.normal
        yield rule, Flow(p.METERED, priority, _match(rule), DROP, cookie)


def _match(rule: MeteringRule) -> Match:
    tap = tap_of(rule.label_id, rule.ingress)
    fields: MatchFields = {"reg2": tap >> 32, "reg5": tap & _WORD}
    ends = [each for each in (rule.source, rule.destination) if each is not None]
    if ends[0].version == 4:
        fields["eth_type"] = ETH_TYPE_IPV4
        if rule.source:
            fields["ipv4_src"] = _masked(rule.source)
        if rule.destination:
            fields["ipv4_dst"] = _masked(rule.destination)
    else:
        fields["eth_type"] = ETH_TYPE_IPV6
        if rule.source:
            fields["ipv6_src"] = _masked(rule.source)
        if rule.destination:
            fields["ipv6_dst"] = _masked(rule.destination)
    return match(**fields)


def _masked(prefix: Prefix) -> tuple[int, int]:
    return prefix.number, prefix.mask
