"""A slice as a host holds it: entries, tombstones, and a snapshot on its way.

Pure. A part of `desired.py`, which knows which slices there are.
"""

from collections.abc import Callable, Iterator, KeysView, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from alcor.agent.desired.leading import led_to_by
from alcor.agent.desired.state import SavedSlice
from alcor.goal_state.codec import Malformed, decode
from alcor.goal_state.entries import GoalEntry, Name, Neighbour, Network
from alcor.goal_state.slices import leads
from alcor.transport.link import Frame, Item

tombstones_max = 10_000  # remembered of one slice between two snapshots


class Held(NamedTuple):
    """An entry as it came, and what it says; None when it is gone and only remembered as gone."""

    value: bytes
    revision: int
    entry: GoalEntry | None


class Subscription(NamedTuple):
    """A slice that is wanted, and up to where it is held already."""

    name: str
    epoch: int  # 0: nothing is held
    position: int


@dataclass(slots=True)
class Taken:
    """What a frame changed: entries that went, entries that came, slices that are wanted or not."""

    gone: list[GoalEntry] = field(default_factory=list)
    put: list[GoalEntry] = field(default_factory=list)
    subscribe: list[Subscription] = field(default_factory=list)
    unsubscribe: list[str] = field(default_factory=list)
    traces: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)  # what was ignored, and why
    _before: dict[str, GoalEntry | None] = field(default_factory=dict)  # by key, of what changes
    _after: dict[str, GoalEntry | None] = field(default_factory=dict)

    def note(self, key: str, before: GoalEntry | None, after: GoalEntry | None) -> None:
        """The entry of a key changes; it may do so again within the same frame."""
        self._before.setdefault(key, before)
        self._after[key] = after

    def sum_up(self) -> Self:
        """All that was noted as what went and what came: of a key one of them at most."""
        for key, after in self._after.items():
            before = self._before[key]
            if after is None:
                if before is not None:
                    self.gone.append(before)
            elif after != before:
                self.put.append(after)
        return self


@dataclass(slots=True)
class HeldSlice:
    """One slice; what of it is held is of one epoch, what is staged may be of another."""

    name: str
    epoch: int = 0  # of what is held; 0: nothing is
    position: int = 0
    synced: bool = False  # complete, and followed since on this connection
    refused: bool = False  # the control plane does not see yet what leads to it
    held: dict[str, Held] = field(default_factory=dict)
    tombstones: dict[str, None] = field(default_factory=dict)  # of `held`, the oldest first
    led_to: dict[str, int] | None = None  # slices, by how many of `held`; None: to be counted
    staged: dict[str, Held] | None = None  # a snapshot on its way
    staged_epoch: int = 0
    whole: bool = True  # else a network's of which neighbours are looked for
    leftovers: bool = False  # it may hold neighbours from when it was whole
    all_names: bool = False  # a delivery of an older release tells of names that aren't looked for
    unread_from: int | None = None  # something after this position was not readable
    staged_unread: bool = False  # and something of the snapshot on its way

    def hold(self, key: str, held: Held) -> None:
        """Hold what is newer; a tombstone too, for an older value must not come back."""
        self.tombstones.pop(key, None)
        if leads(key):
            self._count(self.held.get(key), -1)
            self._count(held, 1)
        self.held[key] = held
        if held.entry is None:
            self.tombstones[key] = None
            if len(self.tombstones) > tombstones_max:
                oldest = next(iter(self.tombstones))
                del self.tombstones[oldest], self.held[oldest]

    def is_looked_for(self, entry: GoalEntry | None) -> bool:
        """Whether hosts look for it in a lazy network: neighbours but those with pairs, and names
        but those with domains, which every host holds."""
        match entry:
            case Neighbour():
                return not entry.pairs
            case Name():
                return not (entry.domain or self.all_names)
        return False

    def leads_to(self) -> KeysView[str]:
        """The slices that a host which holds this one needs as well."""
        if self.led_to is None:
            self.led_to = {}
            for key, held in self.held.items():
                if leads(key):
                    self._count(held, 1)
        return self.led_to.keys()

    def _count(self, held: Held | None, by: int) -> None:
        if self.led_to is None or held is None:
            return
        for name in led_to_by(held.entry):
            self.led_to[name] = self.led_to.get(name, 0) + by
            if not self.led_to[name]:
                del self.led_to[name]

    def living(self) -> Iterator[tuple[str, GoalEntry]]:
        """What is held and not gone, by key."""
        return ((key, each.entry) for key, each in self.held.items() if each.entry is not None)


def restored(saved: SavedSlice, taken: Taken) -> HeldSlice:
    """A slice as the disk remembers it; what is not readable is named and left out."""
    each = HeldSlice(saved.name, saved.epoch, saved.position)
    each.whole, each.leftovers = saved.whole, not saved.whole
    for key, value, revision in saved.entries:
        try:
            each.held[key] = Held(value, revision, decode(key, value))
        except Malformed as error:
            taken.faults.append(str(error))
            each.unread_from = 0
    return each


def newer(before: Held | None, item: Item, fault: Callable[[str], None]) -> Held | None:
    """What to hold of an item; None when it is not newer, or not readable."""
    if before is not None and item.revision <= before.revision:
        return None
    if item.value is None:
        return Held(b"", item.revision, None)
    try:
        return Held(item.value, item.revision, decode(item.key, item.value))
    except Malformed as error:
        fault(str(error))
        return None


def note_change(key: str, before: Held | None, after: Held, taken: Taken) -> None:
    """Note what a key said before and says now, if that differs."""
    was = before.entry if before is not None else None
    if after.entry is not was:
        taken.note(key, was, after.entry)


def is_stale(each: HeldSlice, frame: Frame) -> bool:
    """Whether a snapshot is older than what is followed already: an old frame that came twice."""
    return each.synced and each.epoch == frame.epoch and frame.position < each.position


def is_lazy(name: str, held: Mapping[str, Held]) -> bool:
    """Whether the slice of this name is of a network of which neighbours are looked for."""
    network = held.get(f"{name}network")
    return network is not None and isinstance(network.entry, Network) and network.entry.lazy


def has_names(held: Mapping[str, Held]) -> bool:
    """Whether a lazy network's snapshot has names that a delivery of this release leaves out."""
    names = (each.entry for each in held.values() if isinstance(each.entry, Name))
    return any(not name.domain for name in names)


def left_in(each: HeldSlice) -> Iterator[tuple[str, GoalEntry]]:
    """What of a network's slice hosts look for."""
    return (held for held in each.living() if each.is_looked_for(held[1]))
