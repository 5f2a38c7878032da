"""How much was counted under every label, from the counters of flows. Pure.

A flow that was put again may count from zero: then its whole count is new. When a label is gone its
counts are forgotten.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from alcor.agent.features.routers import metering
from alcor.goal_state.entries import MeteringRule
from alcor.ovs.openflow.flows import FlowCounts, FlowKey, flow_key


class Counted(NamedTuple):
    """What is counted of a label."""

    label_id: str
    ingress: bool


class Tally:
    """What each flow said last."""

    def __init__(self) -> None:
        self._last: dict[FlowKey, FlowCounts] = {}

    def take(
        self, rules: Iterable[MeteringRule], counts: Mapping[FlowKey, FlowCounts]
    ) -> dict[Counted, FlowCounts]:
        """What has come under each label since the last time; zeros for labels with nothing new."""
        found: dict[Counted, FlowCounts] = {}
        last: dict[FlowKey, FlowCounts] = {}
        for rule, flow in metering.flows(rules, 0):
            if rule.excluded:
                continue
            what, key = Counted(rule.label_id, rule.ingress), flow_key(flow)
            packets, octets = found.get(what, FlowCounts(0, 0))
            now = counts.get(key)
            if now is not None and key not in last:
                more = _since(self._last.get(key), now)
                packets, octets = packets + more.packets, octets + more.bytes
                last[key] = now
            found[what] = FlowCounts(packets, octets)
        self._last = last
        return found


def _since(before: FlowCounts | None, now: FlowCounts) -> FlowCounts:
    if before is None or now.packets < before.packets or now.bytes < before.bytes:
        return now
    return FlowCounts(now.packets - before.packets, now.bytes - before.bytes)
