"""What can be done with metering labels and their rules."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from alcor.contracts.resources import Caller
from alcor.managers.metering.model import (
    MeteringLabel,
    MeteringLabelNotFound,
    MeteringLabelRule,
    check_overlap,
    label,
    rule,
)
from alcor.managers.metering.sql import LABELS, RULES
from alcor.runtime.managing.kept import KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.writes import seen_by


class LabelService(KeptService[MeteringLabel]):
    """Keeps the contract ResourceManager."""

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> MeteringLabel:
        return label(values, id_)

    def check_gone(self, tx: KeptTransaction, held: MeteringLabel) -> None:
        """Its rules go with it."""
        tx.remove(RULES, [each.id for each in _rules_of(tx, held.id)])


class RuleService(KeptService[MeteringLabelRule]):
    """Keeps the contract ResourceManager."""

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> MeteringLabelRule:
        return rule(values, id_)

    def check_new(
        self, tx: KeptTransaction, things: Sequence[MeteringLabelRule], caller: Caller
    ) -> None:
        beside: dict[str, list[MeteringLabelRule]] = defaultdict(list)
        for each in things:
            found = tx.find(LABELS, each.metering_label_id)
            if found is None or seen_by(caller) not in (None, found.project_id):
                raise MeteringLabelNotFound(each.metering_label_id)
            check_overlap(each, [*_rules_of(tx, found.id), *beside[found.id]])
            beside[found.id].append(each)


def _rules_of(tx: KeptTransaction, label_id: str) -> list[MeteringLabelRule]:
    return tx.where(RULES, "metering_label_id = ?", label_id)
