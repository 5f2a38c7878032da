"""What the agent knows of metering: the rules of labels, and whose routers they are for.

Pure. A part of `HostModel`.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from alcor.agent.model.unit import Unit, UnitKind
from alcor.goal_state.entries import MeteringRule
from alcor.goal_state.slices import EVERYBODY

K = TypeVar("K")
Tap = int  # 64 bits by which flows know one direction of a label


class Taps(NamedTuple):
    """What is counted at the gateway of a router, in each direction."""

    ingress: tuple[Tap, ...] = ()
    egress: tuple[Tap, ...] = ()


NOTHING = Taps()


class Metering:
    """Rules by owner and id, found by label and by owner."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], MeteringRule] = {}
        self._by_label: dict[str, dict[tuple[str, str], MeteringRule]] = {}
        self._by_owner: dict[str, dict[str, MeteringRule]] = {}

    def put(self, rule: MeteringRule) -> list[MeteringRule]:
        """Hold a rule in place of what its key held; returns the rules that this is about."""
        before = self.remove(rule)
        key = (rule.owner, rule.id)
        self._held[key] = rule
        self._by_label.setdefault(rule.label_id, {})[key] = rule
        self._by_owner.setdefault(rule.owner, {})[rule.id] = rule
        return [*before, rule]

    def remove(self, rule: MeteringRule) -> list[MeteringRule]:
        """Hold what its key held no more; returns the rules that this is about."""
        key = (rule.owner, rule.id)
        before = self._held.pop(key, None)
        if before is None:
            return []
        _drop(self._by_label, before.label_id, key)
        _drop(self._by_owner, before.owner, before.id)
        return [before]

    def rules_of(self, label_id: str) -> list[MeteringRule]:
        """The rules of a label, in a fixed order."""
        held = self._by_label.get(label_id, {})
        return [held[each] for each in sorted(held)]

    def taps_of(self, project_id: str) -> Taps:
        """What is counted at the gateways of a project's routers."""
        mine, all_ = (self._by_owner.get(owner, {}) for owner in (project_id, EVERYBODY))
        ways = sorted({(r.label_id, r.ingress) for r in (*mine.values(), *all_.values())})
        if not ways:
            return NOTHING
        return Taps(
            tuple(tap_of(label_id, ingress) for label_id, ingress in ways if ingress),
            tuple(tap_of(label_id, ingress) for label_id, ingress in ways if not ingress),
        )

    def rules(self) -> Iterator[MeteringRule]:
        """All rules."""
        return (rule for label_id in self.labels() for rule in self.rules_of(label_id))

    def labels(self) -> list[str]:
        """Every label that rules are known of."""
        return sorted(self._by_label)

    def units(self) -> Iterator[Unit]:
        """Every label as a unit."""
        return (Unit(UnitKind.METERING, label_id) for label_id in self._by_label)


def _drop(nested: dict[str, dict[K, MeteringRule]], outer: str, inner: K) -> None:
    del nested[outer][inner]
    if not nested[outer]:
        del nested[outer]


def tap_of(label_id: str, ingress: bool) -> Tap:
    """64 bits by which flows know a label's direction: the same on every start."""
    name = f"{label_id}/{'in' if ingress else 'out'}".encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
