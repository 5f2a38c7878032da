"""How the metering manager keeps its kinds."""

from alcor.managers.metering import intent
from alcor.managers.metering.model import MeteringLabel, MeteringLabelRule
from alcor.runtime.managing.kept import SHARED, Kept, living_of
from alcor.runtime.tables.resource_table import ResourceTable

LABELS = Kept(
    "metering_label",
    ResourceTable("metering_label", "MeteringLabel", ("project_id", "name", "shared")),
    MeteringLabel,
    intent.label_record,
    also=SHARED,
)
RULES = Kept(
    "metering_rule",
    ResourceTable("metering_label_rule", "MeteringLabelRule", ("project_id", "metering_label_id")),
    MeteringLabelRule,
    intent.rule_record,
)
living = living_of(LABELS, RULES)
