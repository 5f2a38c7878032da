"""Which rules metering labels have, and which routers are metered for whom."""

from collections.abc import Iterator

from alcor.goal_state.slices import EVERYBODY
from alcor.intent.records import Record, RouterRecord
from alcor.intent.watching_records import MeteringLabelRecord, MeteringRuleRecord
from alcor.planner.pairs import Pairs


class MeteringIndex:
    """Follows labels, their rules and routers, in whatever order they come."""

    def __init__(self) -> None:
        self._owner_by_label: dict[str, str] = {}
        self._rules_by_label: dict[str, dict[str, MeteringRuleRecord]] = {}
        self._routers_by_owner = Pairs()

    def put(self, record: Record) -> None:
        """A record has come."""
        match record:
            case MeteringLabelRecord():
                self._owner_by_label[record.id] = owner_of(record)
            case MeteringRuleRecord():
                self._rules_by_label.setdefault(record.label_id, {})[record.id] = record
            case RouterRecord():
                for owner in (record.project_id, EVERYBODY):
                    self._routers_by_owner.add(owner, record.id)

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        match record:
            case MeteringLabelRecord():
                self._owner_by_label.pop(record.id, None)
            case MeteringRuleRecord():
                held = self._rules_by_label.get(record.label_id, {})
                held.pop(record.id, None)
                if not held:
                    self._rules_by_label.pop(record.label_id, None)
            case RouterRecord():
                for owner in (record.project_id, EVERYBODY):
                    self._routers_by_owner.remove(owner, record.id)

    def owner(self, label_id: str) -> str:
        """Whose routers the label meters; empty while it is not known."""
        return self._owner_by_label.get(label_id, "")

    def rules_of(self, label_id: str) -> Iterator[MeteringRuleRecord]:
        """The rules of a label."""
        yield from self._rules_by_label.get(label_id, {}).values()

    def routers_of(self, owner: str) -> set[str]:
        """The routers that a slice of this owner meters."""
        return set(self._routers_by_owner.of(owner))


def owner_of(label: MeteringLabelRecord) -> str:
    """Whose routers the label meters."""
    return EVERYBODY if label.shared else label.project_id
