"""What the intent log is told of QoS policies. Pure."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import QosPolicyRecord, QosRuleRecord
from alcor.managers.qos.model.policy import QosPolicy
from alcor.managers.qos.model.rule import Rule

policy_kind = "qos_policy"


def record(policy: QosPolicy) -> QosPolicyRecord:
    """The record of a policy, with its rules in order of their types."""
    rules = sorted(policy.rules, key=lambda each: (each.type, str(each.direction)))
    return QosPolicyRecord(
        id=policy.id,
        project_id=policy.project_id,
        name=policy.name,
        rules=tuple(map(_rule, rules)),
    )


def told_policy(policy: QosPolicy) -> Told:
    """That the policy is so."""
    return Told(records.key(policy_kind, policy.id), records.encode(record(policy)))


def told_gone(id_: str) -> Told:
    """That the policy is gone."""
    return Told(records.key(policy_kind, id_), None)


def _rule(rule: Rule) -> QosRuleRecord:
    return QosRuleRecord(
        type=rule.type,
        direction="" if rule.direction is UNSET else str(rule.direction),
        rate=_first((rule.max_kbps, rule.max_kpps, rule.min_kbps, rule.min_kpps)),
        burst=_first((rule.max_burst_kbps, rule.max_burst_kpps)),
        dscp_mark=_first((rule.dscp_mark,)),
    )


def _first(values: Iterable[int | UnsetType]) -> int:
    """The one that the rule's type has; 0 where it has none."""
    return next((value for value in values if isinstance(value, int)), 0)
