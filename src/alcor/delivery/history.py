"""What each recent write changed in goal state: pure bookkeeping, for whoever waits for it.

A write is known by its manager and the sequence of its last change; changes that carry the same
trace and follow each other are one write. Only so many writes are remembered.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

writes_max = 10_000  # remembered of each manager; older ones wait for everything as of now


@dataclass(slots=True)
class Write:
    """One write: its sequences, and the slices it changed with the position of the last change."""

    first: int
    last: int
    trace: str
    position_by_slice: dict[str, int] = field(default_factory=dict)


class History:
    """The recent writes of one manager, in order."""

    def __init__(self, *, writes_max: int = writes_max) -> None:
        self.seen = 0  # every change up to this sequence has been planned
        self.settled = 0  # connected hosts have applied every write up to here
        self._writes: list[Write] = []
        self._writes_max = writes_max

    def record(self, sequence: int, trace: str, changed: Mapping[str, int]) -> None:
        """The change `sequence` has changed these slices, last at these positions."""
        write = self._writes[-1] if self._writes else None
        if write is None or not trace or write.trace != trace:
            write = Write(sequence, sequence, trace)
            self._writes.append(write)
        write.last = max(write.last, sequence)
        write.position_by_slice.update(changed)
        self.seen = max(self.seen, sequence)
        if len(self._writes) > 2 * self._writes_max:
            del self._writes[: -self._writes_max]

    def forget(self, seen: int) -> None:
        """Everything up to `seen` has been planned, but not one by one: remember nothing of it."""
        self._writes.clear()
        self.seen = max(self.seen, seen)

    def settle(self, sequence: int) -> None:
        """Connected hosts have applied every write up to `sequence`."""
        self.settled = max(self.settled, sequence)

    def write(self, sequence: int) -> Write | None:
        """The write that `sequence` belongs to; None when it is too old to be remembered."""
        at = bisect_left(self._writes, sequence, key=_last)
        if at == len(self._writes) or (at == 0 and sequence < self._writes[0].first):
            return None
        return self._writes[at]

    def unsettled_before(self, write: Write) -> dict[str, int]:
        """The slices that earlier writes, not known to be applied, changed; with positions."""
        start = bisect_left(self._writes, self.settled + 1, key=_last)
        return merged(
            earlier.position_by_slice
            for earlier in self._writes[start:]
            if earlier.last < write.first
        )


def merged(changes: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The slices of all of them, each with its greatest position."""
    position_by_slice: dict[str, int] = {}
    for changed in changes:
        for name, position in changed.items():
            position_by_slice[name] = max(position, position_by_slice.get(name, 0))
    return position_by_slice


def _last(write: Write) -> int:
    return write.last
