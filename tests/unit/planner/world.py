"""A planner that is told of records one after the other."""

from alcor.goal_state import codec
from alcor.goal_state.entries import GoalEntry
from alcor.intent.records import TYPE_BY_KIND, Record, key
from alcor.planner.graph import GoalChange, IntentChange, Planner

_KIND_BY_TYPE = {type_: kind for kind, type_ in TYPE_BY_KIND.items()}


def key_of(record: Record) -> str:
    """The record's key in the intent log."""
    return key(_KIND_BY_TYPE[type(record)], record.id)


class World:
    """A planner, and the revision of the last record that it was told of."""

    def __init__(self, *told: Record) -> None:
        self.planner = Planner()
        self.revision = 0
        self.tell(*told)

    def tell(self, *records: Record, gone: bool = False) -> list[GoalChange]:
        """Records have come, or gone; what this changes."""
        changes: list[GoalChange] = []
        for record in records:
            self.revision += 1
            change = IntentChange(key_of(record), None if gone else record, self.revision)
            changes += self.planner.apply(change)
        return changes

    def save(self, *records: Record, gone: bool = False) -> list[str]:
        """As `tell`; the keys of what this changes."""
        return [each.key for each in self.tell(*records, gone=gone)]

    def entry(self, key_: str) -> GoalEntry:
        """The entry of goal state under a key."""
        return codec.decode(key_, self.planner.goal[key_])

    def hosts(self, slice_: str, among: tuple[str, ...] = ("h1", "h2", "h3")) -> set[str]:
        """The hosts that a slice concerns, by both ways to ask."""
        hosts = set(self.planner.index.hosts_of(slice_))
        assert hosts == {host for host in among if self.planner.index.concerns(host, slice_)}
        return hosts
