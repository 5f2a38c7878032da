"""What the intent log is told of metering labels and their rules. Pure."""

from alcor.intent.watching_records import MeteringLabelRecord, MeteringRuleRecord
from alcor.managers.metering.model import MeteringLabel, MeteringLabelRule


def label_record(label: MeteringLabel) -> MeteringLabelRecord:
    """The record of a label."""
    return MeteringLabelRecord(id=label.id, project_id=label.project_id, shared=label.shared)


def rule_record(rule: MeteringLabelRule) -> MeteringRuleRecord:
    """The record of a rule."""
    source, destination = rule.ends
    return MeteringRuleRecord(
        id=rule.id,
        label_id=rule.metering_label_id,
        ingress=rule.direction == "ingress",
        excluded=rule.excluded,
        source=source or "",
        destination=destination or "",
    )
