"""A rule of a metering label, as the hosts of the routers that it meters must know it."""

from alcor.goal_state.entries import MeteringRule
from alcor.goal_state.slices import metering_rule_key
from alcor.intent.watching_records import MeteringRuleRecord
from alcor.values.addresses import prefix


def plan(rule: MeteringRuleRecord, owner: str) -> tuple[str, MeteringRule] | None:
    """Its entry in its owner's slice, once its label is known; `ValueError` when a text is none."""
    if not owner:
        return None
    return metering_rule_key(owner, rule.id), MeteringRule(
        id=rule.id,
        label_id=rule.label_id,
        owner=owner,
        ingress=rule.ingress,
        excluded=rule.excluded,
        source=prefix(rule.source) if rule.source else None,
        destination=prefix(rule.destination) if rule.destination else None,
    )
