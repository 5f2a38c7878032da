"""Which flows are wanted, which are believed to be installed, and how to get from one to the other.

Pure. A plan puts before it takes away, and keeps what a unit puts and takes in one bundle, so that
a port is never half secured. What lets packets pass is the exception: it is revoked before anything
is granted, or a port's new group would meet a remote that is just leaving. A unit that the switch
refuses a flow of is quarantined as a whole until it changes: half of a port's flows would be worse
than none.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from alcor.agent import pipeline as p
from alcor.agent.compiler import OWNER_COOKIE, OWNER_MASK, Change
from alcor.agent.model import Unit
from alcor.ovs.flow import Flow
from alcor.ovs.openflow.flows import FlowKey, InstalledFlow, flow_body, flow_key

bundle_flows_max = 1_000  # a longer commit holds up everything else on the switch


class Wanted(NamedTuple):
    """A flow as it must be on the switch, and whose it is."""

    unit: Unit
    body: InstalledFlow
    flow: Flow


class Batch(NamedTuple):
    """What goes into one bundle."""

    puts: tuple[tuple[FlowKey, InstalledFlow], ...]
    takes: tuple[FlowKey, ...]

    def __len__(self) -> int:
        return len(self.puts) + len(self.takes)


_Puts = dict[Unit, list[tuple[FlowKey, InstalledFlow]]]
_Takes = dict[Unit | None, list[FlowKey]]
_Part = tuple[list[tuple[FlowKey, InstalledFlow]], list[FlowKey]]


class FlowTracker:
    """Desired against actual; the actual is what was read back, moved on by what was done."""

    def __init__(self) -> None:
        self._wanted: dict[FlowKey, Wanted] = {}
        self._installed: dict[FlowKey, InstalledFlow] = {}
        self._dirty: dict[FlowKey, Unit | None] = {}  # None: nobody's, left on the switch
        self.quarantined: dict[Unit, str] = {}  # why

    @property
    def installed_count(self) -> int:
        """How many flows the switch is believed to have."""
        return len(self._installed)

    def want(self, change: Change) -> None:
        """Move what is wanted."""
        for unit, puts, takes in change.units:
            if self.quarantined.pop(unit, None) is not None:
                self._mark_unit(unit)
            for flow in takes:
                key = flow_key(flow)
                del self._wanted[key]
                self._dirty[key] = unit
            for flow in puts:
                key = flow_key(flow)
                self._wanted[key] = Wanted(unit, flow_body(flow), flow)
                self._dirty[key] = unit

    def believe(self, installed: Mapping[FlowKey, InstalledFlow]) -> int:
        """Take what was read back as the truth; returns how many flows differ from what is wanted.

        What is ours and not wanted stays until `prune`; what is not ours goes.
        """
        self._installed = dict(installed)
        self._dirty = {
            key: wanted.unit
            for key, wanted in self._wanted.items()
            if installed.get(key) != self._body(wanted)
        }
        for key, (cookie, _) in installed.items():
            if cookie & OWNER_MASK != OWNER_COOKIE and key not in self._wanted:
                self._dirty[key] = None
        return len(self._dirty)

    def prune(self) -> int:
        """Everything that must be there is known now: what else is there goes; returns how many."""
        strays = [key for key in self._installed if key not in self._wanted]
        self._dirty.update(dict.fromkeys(key for key in strays if key not in self._dirty))
        return len(strays)

    def plan(self) -> list[Batch]:
        """The bundles to send, in order; empty when the switch is as wanted."""
        puts, takes = self._difference()
        parts = list(self._revocations(puts, takes))
        # Units are ordered: security and ports first. What is only taken away goes last.
        parts += [(puts[unit], takes.pop(unit, [])) for unit in sorted(puts)]
        parts += [([], takes[unit]) for unit in sorted(_units(takes))]
        parts.append(([], takes.get(None, [])))
        return list(_cut(parts))

    def done(self, batch: Batch) -> None:
        """The switch has taken the batch."""
        for key, body in batch.puts:
            self._installed[key] = body
            self._settle(key)
        for key in batch.takes:
            self._installed.pop(key, None)
            self._settle(key)

    def refuse(self, reasons: Mapping[FlowKey, str]) -> dict[Unit, str]:
        """The switch refused these flows: quarantine their units; returns them, with reasons."""
        refused: dict[Unit, str] = {}
        for key, reason in reasons.items():
            wanted = self._wanted.get(key)
            if wanted is None:  # it could not be taken away: nothing to hold back
                self._dirty.pop(key, None)
            else:
                refused[wanted.unit] = f"{wanted.flow}: {reason}"
        for unit, reason in refused.items():
            self.quarantined[unit] = reason
            self._mark_unit(unit)
        return refused

    def _revocations(self, puts: _Puts, takes: _Takes) -> Iterator[_Part]:
        """What lets something pass that must not any more, one by one: they come first.

        A flow that changes may let less pass, so it counts; they are taken out of `puts`, `takes`.
        """
        for unit, keys in takes.items():
            takes[unit] = [key for key in keys if key.table not in p.ALLOWING]
            yield from (([], [key]) for key in keys if key.table in p.ALLOWING)
        for unit, flows in puts.items():
            changing = {
                key for key, _ in flows if key.table in p.ALLOWING and key in self._installed
            }
            if changing:
                puts[unit] = [put for put in flows if put[0] not in changing]
                yield from (([put], []) for put in flows if put[0] in changing)

    def _body(self, wanted: Wanted) -> InstalledFlow | None:
        return None if wanted.unit in self.quarantined else wanted.body

    def _mark_unit(self, unit: Unit) -> None:
        self._dirty.update(
            (key, unit) for key, wanted in self._wanted.items() if wanted.unit == unit
        )

    def _settle(self, key: FlowKey) -> None:
        """Clean, unless what is wanted has moved on while the switch worked."""
        wanted = self._wanted.get(key)
        if self._installed.get(key) == (self._body(wanted) if wanted else None):
            self._dirty.pop(key, None)

    def _difference(self) -> tuple[_Puts, _Takes]:
        puts: _Puts = {}
        takes: _Takes = {}
        for key, unit in tuple(self._dirty.items()):
            wanted = self._wanted.get(key)
            body = self._body(wanted) if wanted else None
            if self._installed.get(key) == body:
                del self._dirty[key]
            elif wanted is not None and body is not None:
                puts.setdefault(wanted.unit, []).append((key, body))
            else:
                takes.setdefault(unit, []).append(key)
        return puts, takes


def _units(takes: Iterable[Unit | None]) -> set[Unit]:
    return {unit for unit in takes if unit is not None}


def _cut(parts: Iterable[_Part]) -> Iterator[Batch]:
    """Fill bundles without cutting a unit."""
    puts: list[tuple[FlowKey, InstalledFlow]] = []
    takes: list[FlowKey] = []
    for more_puts, more_takes in parts:
        size = len(puts) + len(takes)
        if size and size + len(more_puts) + len(more_takes) > bundle_flows_max:
            yield Batch(tuple(puts), tuple(takes))
            puts, takes = [], []
        puts += more_puts
        takes += more_takes
    if puts or takes:
        yield Batch(tuple(puts), tuple(takes))
