"""What became of everything that is to be brought: counts by kind, and each problem by its item."""

from collections.abc import Callable

import msgspec

from alcor.client.api import Item


class Problem(msgspec.Struct, frozen=True):
    """Something of one item that is not here as it is at the source, and why."""

    kind: str
    id: str
    name: str
    project_id: str
    why: str


class Tally(msgspec.Struct, kw_only=True):
    """How many items of one kind there are, and what became of them."""

    kind: str
    found: int = 0  # at the source
    same: int = 0  # there already, as it is at the source
    made: int = 0  # or to be made, in a check
    changed: int = 0
    removed: int = 0
    different: int = 0  # there, but otherwise
    missing: int = 0  # could not be made, or has no counterpart
    owners: int = 0  # made by what they are of, or not needed here


class Ledger(msgspec.Struct):
    """The report of an import."""

    check: bool
    tallies: list[Tally] = []
    problems: list[Problem] = []
    notes: list[Problem] = []  # of what was made, but not with everything

    def tally(self, kind: str) -> Tally:
        """The counts of a kind, begun now if they are not yet."""
        for each in self.tallies:
            if each.kind == kind:
                return each
        self.tallies.append(Tally(kind=kind))
        return self.tallies[-1]

    def miss(self, kind: str, item: Item, why: str) -> None:
        """It is not here."""
        self.tally(kind).missing += 1
        self.problems.append(_problem(kind, item, why))

    def differ(self, kind: str, item: Item, why: str) -> None:
        """It is here, but otherwise."""
        self.tally(kind).different += 1
        self.problems.append(_problem(kind, item, why))

    def note(self, kind: str, item: Item, why: str) -> None:
        """It is here, but for something that nothing here has."""
        self.notes.append(_problem(kind, item, why))

    @property
    def complete(self) -> bool:
        """Whether everything is here as it is at the source, or (in a check) can be."""
        left = [(t.missing, 0 if self.check else t.different) for t in self.tallies]
        return not any(missing or different for missing, different in left)


Watch = Callable[[Tally], None]  # is told whenever a tally has grown


def _problem(kind: str, item: Item, why: str) -> Problem:
    named = item.get("name") or item.get("floating_ip_address") or ""
    whose = item.get("project_id") or item.get("tenant_id") or ""
    return Problem(kind, str(item.get("id", "")), str(named), str(whose), why)
