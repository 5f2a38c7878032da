"""The rules of QoS policies: of which kinds there are, and which can't be together. Pure.

Source: Neutron API reference v2, "QoS"; neutron.objects.qos.qos_policy_validator.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from alcor.managers.qos.model.refusals import QoSRuleParameterConflict, QoSRulesConflict

BANDWIDTH_LIMIT = "bandwidth_limit"
DSCP_MARKING = "dscp_marking"
MINIMUM_BANDWIDTH = "minimum_bandwidth"
MINIMUM_PACKET_RATE = "minimum_packet_rate"
PACKET_RATE_LIMIT = "packet_rate_limit"
ANY = "any"  # the direction of a minimum packet rate: both together
TYPES = (
    BANDWIDTH_LIMIT,
    DSCP_MARKING,
    MINIMUM_BANDWIDTH,
    MINIMUM_PACKET_RATE,
    PACKET_RATE_LIMIT,
)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as its policy shows it; it has the fields of its type, and no others."""

    id: str
    qos_policy_id: str
    type: str
    direction: str | UnsetType = UNSET  # egress: what the machine sends
    max_kbps: int | UnsetType = UNSET
    max_burst_kbps: int | UnsetType = UNSET  # in kilobits, in spite of the name; 0: hosts choose
    min_kbps: int | UnsetType = UNSET
    min_kpps: int | UnsetType = UNSET
    dscp_mark: int | UnsetType = UNSET
    max_kpps: int | UnsetType = UNSET
    max_burst_kpps: int | UnsetType = UNSET  # in thousands of packets


VALUES = tuple(
    name for name in Rule.__struct_fields__ if name not in ("id", "qos_policy_id", "type")
)


def rule(values: Mapping[str, Any], type_: str, id_: str) -> Rule:
    """The rule that a checked body asks for."""
    given = {name: values[name] for name in VALUES if name in values}
    return Rule(id=id_, qos_policy_id=values["qos_policy_id"], type=type_, **given)


def changed(old: Rule, changes: Mapping[str, Any]) -> Rule:
    """The rule after a checked PUT; the very same value when nothing is different."""
    different = {name: value for name, value in changes.items() if getattr(old, name) != value}
    return msgspec.structs.replace(old, **different) if different else old


def shown(rule: Rule) -> dict[str, Any]:
    """The rule as its own routes show it: which policy it is of stands in their paths."""
    names = ("id", *VALUES)
    return {name: value for name in names if (value := getattr(rule, name)) is not UNSET}


def check_beside(new: Rule, others: Iterable[Rule]) -> None:
    """That the rule can be in a policy with these; `QoSRulesConflict`, `QoSRuleParameterConflict`.

    There is one of a type and direction, and no minimum is above its maximum.
    """
    for other in others:
        if other.id == new.id:
            continue
        if (other.type, other.direction) == (new.type, new.direction):
            raise QoSRulesConflict(new.type, other.id, other.qos_policy_id)
        _check_minimum(new, other)
        _check_any(new, other)


def _check_minimum(new: Rule, held: Rule) -> None:
    low, high = sorted((new, held), key=lambda each: each.type != MINIMUM_BANDWIDTH)
    if (low.type, high.type) != (MINIMUM_BANDWIDTH, BANDWIDTH_LIMIT):
        return
    least, most = _of(low.min_kbps), _of(high.max_kbps)
    if low.direction == high.direction and least > most:
        value, limit = (least, most) if new is low else (most, least)
        raise QoSRuleParameterConflict(value, new.qos_policy_id, held.type, limit)


def _check_any(new: Rule, held: Rule) -> None:
    """A minimum packet rate is of both directions together, or of each."""
    if new.type == held.type == MINIMUM_PACKET_RATE and ANY in (new.direction, held.direction):
        raise QoSRuleParameterConflict(
            str(new.direction), new.qos_policy_id, held.type, str(held.direction)
        )


def _of(value: int | UnsetType) -> int:
    assert isinstance(value, int)  # a rule has the fields of its type
    return value
