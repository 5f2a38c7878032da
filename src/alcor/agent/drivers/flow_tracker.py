"""Which flows are wanted, which are believed to be installed, and how to get from one to the other.

Pure. A plan puts before it takes away, and keeps what a unit puts and takes in one bundle, so that
a port is never half secured. What lets packets pass is the exception: it is revoked before anything
is granted, or a port's new group would meet a remote that is just leaving. A unit that the switch
refuses a flow of is quarantined as a whole until it changes: half of a port's flows would be worse
than none.

Flows of another pipeline, which an agent of another version left, never forward side by side with
ours: they stay as they are until all that must be there is known, and then one bundle takes them
away and puts what is wanted, so that every packet meets either the old ones or the new ones.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from alcor.agent.compiler.compiler import Change
from alcor.agent.model.model import HOST_UNIT, Unit, UnitKind
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.cookies import cookie_of, is_ours
from alcor.ovs.openflow.flows import FlowBody, FlowKey, key_text, table_of

bundle_flows_max = 1_000  # a longer commit holds up everything else on the switch
_HOST_COOKIE = cookie_of(HOST_UNIT).to_bytes(8, "big")


class Batch(NamedTuple):
    """What goes into one bundle."""

    puts: tuple[tuple[FlowKey, FlowBody], ...]
    takes: tuple[FlowKey, ...]

    def __len__(self) -> int:
        return len(self.puts) + len(self.takes)


_Wanted = tuple[Unit, FlowBody]  # whose flow, and how it must be
_Puts = dict[Unit, list[tuple[FlowKey, FlowBody]]]
_Takes = dict[Unit | None, list[FlowKey]]
_Part = tuple[list[tuple[FlowKey, FlowBody]], list[FlowKey]]


class FlowTracker:
    """Desired against actual; the actual is what was read back, moved on by what was done."""

    def __init__(self) -> None:
        self._wanted: dict[FlowKey, _Wanted] = {}
        self._installed: dict[FlowKey, FlowBody] = {}
        self._dirty: dict[FlowKey, Unit | None] = {}  # None: nobody's, left on the switch
        self.quarantined: dict[Unit, str] = {}  # why
        self._replaces = self._is_complete = False  # another pipeline; all is known

    @property
    def waits(self) -> bool:
        """Whether another pipeline's flows stay until all that must be there is known."""
        return self._replaces and not self._is_complete

    @property
    def installed_count(self) -> int:
        """How many flows the switch is believed to have."""
        return len(self._installed)

    def want(self, change: Change) -> None:
        """Move what is wanted."""
        for unit, puts, takes in change.units:
            if self.quarantined.pop(unit, None) is not None:
                self._mark_unit(unit)
            for key in takes:
                del self._wanted[key]
                self._dirty[key] = unit
            for key, body in puts:
                self._wanted[key] = (unit, body)
                self._dirty[key] = unit

    def believe(self, installed: Mapping[FlowKey, FlowBody]) -> int:
        """Take what was read back as the truth; returns how many flows differ from what is wanted.

        What is ours and not wanted stays until `prune`; what is not ours goes.
        """
        self._dirty = {
            key: wanted[0]
            for key, wanted in self._wanted.items()
            if installed.get(key) != self._body(wanted)
        }
        # Those as wanted are remembered by the bytes that we have: what was read is a copy of them.
        ours = {key: body for key, (_, body) in self._wanted.items() if installed.get(key) == body}
        others = {key: body for key, body in installed.items() if key not in ours}
        self._installed = ours | others
        self._replaces = False
        for key, body in installed.items():
            if not is_ours(body):
                if key not in self._wanted:
                    self._dirty[key] = None
            elif body[1] == UnitKind.HOST and body[:8] != _HOST_COOKIE:
                self._replaces = True
        return len(self._dirty)

    def left_over(self, kind: UnitKind) -> list[tuple[FlowKey, FlowBody]]:
        """The flows of a kind of units that are there and not wanted."""
        return [
            (key, body)
            for key, body in self._installed.items()
            if is_ours(body) and body[1] == kind and key not in self._wanted
        ]

    def prune(self) -> int:
        """Everything that must be there is known now: what else is there goes; returns how many."""
        self._is_complete = True
        strays = [key for key in self._installed if key not in self._wanted]
        self._dirty.update(dict.fromkeys(key for key in strays if key not in self._dirty))
        return len(strays)

    def plan(self) -> list[Batch]:
        """The bundles to send, in order; empty when the switch is as wanted.

        They count as done from now on. When one of them is not, nothing is known: read back.
        """
        if self.waits:
            return []
        revocations, puts, takes = self._difference()
        # Units are ordered: security and ports first. What is only taken away goes last.
        parts = revocations + [(puts[unit], takes.pop(unit, [])) for unit in sorted(puts)]
        parts += [([], takes[unit]) for unit in sorted(_units(takes))]
        parts.append(([], takes.get(None, [])))
        batches = list(_cut(parts, sys.maxsize if self._replaces else bundle_flows_max))
        self._replaces = False
        for batch in batches:
            self._installed.update(batch.puts)
            for key in batch.takes:
                self._installed.pop(key, None)
        self._dirty.clear()
        return batches

    def refuse(self, reasons: Mapping[FlowKey, str]) -> dict[Unit, str]:
        """The switch refused these flows: quarantine their units; returns them, with reasons."""
        refused: dict[Unit, str] = {}
        for key, reason in reasons.items():
            wanted = self._wanted.get(key)
            if wanted is not None:  # else it could not be taken away: nothing to hold back
                refused[wanted[0]] = f"{key_text(key)}: {reason}"
        for unit, reason in refused.items():
            self.quarantined[unit] = reason
            self._mark_unit(unit)
        return refused

    def _body(self, wanted: _Wanted) -> FlowBody | None:
        return None if self.quarantined and wanted[0] in self.quarantined else wanted[1]

    def _mark_unit(self, unit: Unit) -> None:
        self._dirty.update((key, unit) for key, wanted in self._wanted.items() if wanted[0] == unit)

    def _difference(self) -> tuple[list[_Part], _Puts, _Takes]:
        """What is to be done; first what lets something pass that must not any more, one by one.

        A flow that changes may let less pass, so it counts.
        """
        puts: _Puts = {}
        takes: _Takes = {}
        less: list[_Part] = []
        other: list[_Part] = []
        last, of_last = None, list[tuple[FlowKey, FlowBody]]()
        for key, unit in self._dirty.items():
            wanted, installed = self._wanted.get(key), self._installed.get(key)
            body = self._body(wanted) if wanted else None
            if installed == body:
                continue
            if wanted is None or body is None:
                if table_of(key) in p.ALLOWING:
                    less.append(([], [key]))
                else:
                    takes.setdefault(unit, []).append(key)
            elif installed is not None and table_of(key) in p.ALLOWING:
                other.append(([(key, body)], []))
            else:
                if wanted[0] is not last:  # a unit's flows come together
                    last = wanted[0]
                    of_last = puts.setdefault(last, [])
                of_last.append((key, body))
        return less + other, puts, takes


def _units(takes: Iterable[Unit | None]) -> set[Unit]:
    return {unit for unit in takes if unit is not None}


def _cut(parts: Iterable[_Part], most: int) -> Iterator[Batch]:
    """Fill bundles with so many flows, without cutting a unit."""
    puts: list[tuple[FlowKey, FlowBody]] = []
    takes: list[FlowKey] = []
    for more_puts, more_takes in parts:
        size = len(puts) + len(takes)
        if size and size + len(more_puts) + len(more_takes) > most:
            yield Batch(tuple(puts), tuple(takes))
            puts, takes = [], []
        puts += more_puts
        takes += more_takes
    if puts or takes:
        yield Batch(tuple(puts), tuple(takes))
