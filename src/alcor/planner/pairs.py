"""Pairs of ids that records stand for, each counted: who is with whom while records say so."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from alcor.intent.records import Record

_NOTHING: Mapping[str, int] = {}


class Pairs:
    """How often each pair was added; the pairs of one thing are found at once."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, one: str, other: str) -> None:
        """Count the pair once more."""
        counts = self._counts.setdefault(one, {})
        counts[other] = counts.get(other, 0) + 1

    def remove(self, one: str, other: str) -> None:
        """Count a pair that was added once less."""
        counts = self._counts[one]
        counts[other] -= 1
        if not counts[other]:
            del counts[other]
        if not counts:
            del self._counts[one]

    def of(self, one: str) -> Mapping[str, int]:
        """What is paired with it, and how often."""
        return self._counts.get(one, _NOTHING)


class PairIndex(ABC):
    """Follows records, in whatever order they come: each is some pairs."""

    def put(self, record: Record) -> None:
        """A record has come."""
        for pairs, one, other in self._pairs(record):
            pairs.add(one, other)

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        for pairs, one, other in self._pairs(record):
            pairs.remove(one, other)

    @abstractmethod
    def _pairs(self, record: Record) -> Iterable[tuple[Pairs, str, str]]:
        """What the record stands for: the same whenever it is asked."""
