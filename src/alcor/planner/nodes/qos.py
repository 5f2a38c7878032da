"""A QoS policy, as the hosts of what has it must know it.

A rate of 0 is no limit, as in Neutron's Open vSwitch driver. A burst of 0 is for us to choose: 80 %
of the rate, as there, but never less than what a machine hands over at once.
"""

from collections.abc import Iterator

from alcor.goal_state.entries import Limit, QosPolicy
from alcor.goal_state.slices import policy_key
from alcor.intent.records import QosPolicyRecord, QosRuleRecord

BURST_RATIO = 0.8
burst_kbit_min = 525  # 64 KiB: one packet of segmentation offload
burst_packets_min = 100
_LARGEST = (1 << 32) - 1  # that a meter takes


def plan(policy: QosPolicyRecord) -> tuple[str, QosPolicy]:
    """Its entry in its own slice."""
    marks = [rule.dscp_mark for rule in policy.rules if rule.type == "dscp_marking"]
    limits = tuple(limit for rule in policy.rules for limit in _limits(rule))
    minimum = max(map(_minimum, policy.rules), default=0)
    mark = marks[0] if marks else None
    return policy_key(policy.id), QosPolicy(policy.id, limits, mark, minimum)


def _minimum(rule: QosRuleRecord) -> int:
    """What hosts hold of a rule, in kbit/s; what machines receive is Placement's alone to keep."""
    is_held = (rule.type, rule.direction) == ("minimum_bandwidth", "egress")
    return min(rule.rate, _LARGEST) if is_held else 0


def _limits(rule: QosRuleRecord) -> Iterator[Limit]:
    if rule.type not in ("bandwidth_limit", "packet_rate_limit") or not rule.rate:
        return
    per_packet = rule.type == "packet_rate_limit"
    unit = 1_000 if per_packet else 1
    least = burst_packets_min if per_packet else burst_kbit_min
    chosen = max(int(rule.rate * unit * BURST_RATIO), least)
    yield Limit(
        ingress=rule.direction == "ingress",
        per_packet=per_packet,
        rate=min(rule.rate * unit, _LARGEST),
        burst=min(rule.burst * unit or chosen, _LARGEST),
    )
