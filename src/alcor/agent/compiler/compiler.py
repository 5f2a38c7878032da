"""From the model to flows, incrementally: units that changed are made again, nothing else.

Pure. Law: after any sequence of changes the flows equal those made from nothing. When two units
make one key (table, priority, match), the first of them in the order of units wins, whatever came
first in time.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from alcor.agent.compiler.meters import unit_meters
from alcor.agent.compiler.unit_flows import unit_flows
from alcor.agent.model.model import HOST_UNIT, HostModel, Unit, UnitKind
from alcor.agent.model.ports.meter import Meter
from alcor.agent.pipeline.cookies import cookie_of
from alcor.agent.shapes.shape import encoded
from alcor.ovs.openflow.flows import FlowBody, FlowKey

piece_units_max = 400  # while these are made nothing else is done


class UnitChange(NamedTuple):
    """What a unit's change means for the switch: flows to put, flows to take away."""

    unit: Unit
    puts: tuple[tuple[FlowKey, FlowBody], ...]
    takes: tuple[FlowKey, ...]


class Change(NamedTuple):
    """The difference of one pass; meters are put before flows and taken away after them.

    A zone is the number of a port, its owner the cookie of the port's flows.
    """

    units: tuple[UnitChange, ...]
    meters_put: tuple[Meter, ...]
    meters_taken: tuple[int, ...]
    zones_put: Mapping[int, int]  # owner by zone
    zones_taken: frozenset[int]

    @property
    def takes(self) -> bool:
        """Whether it takes a flow away."""
        return any(each.takes for each in self.units)

    @property
    def flows(self) -> int:
        """How many flows it puts and takes away."""
        return sum(len(each.puts) + len(each.takes) for each in self.units)


OnFault = Callable[[Unit, Exception], None]  # is told of what no flows can be made
_Owned = tuple[Unit, FlowBody]
_NEIGHBOUR = UnitKind.NEIGHBOUR  # looked up by name it takes its time, and there are thousands
_OF_ROUTERS = frozenset((UnitKind.ROUTER, UnitKind.FLOATING, UnitKind.OUTSIDE))
_WITH_METERS = frozenset(  # the first also with zones
    (
        *(UnitKind.PORT, UnitKind.NETWORK, UnitKind.SHARED),
        *(UnitKind.ROUTER, UnitKind.FLOATING, UnitKind.ACL),
    )
)
_NOTHING: Mapping[FlowKey, FlowBody] = MappingProxyType({})


class Compiler:
    """Holds the flows of every unit as bytes, and who owns each key.

    A unit that meets a fault of ours has none until it changes, and all others have theirs. Without
    anybody who is told of it, and where nothing would work without it, the fault is raised.
    """

    def __init__(
        self,
        model: HostModel,
        piece_units: int = piece_units_max,
        on_fault: OnFault | None = None,
    ) -> None:
        self._model, self._piece_units, self._on_fault = model, piece_units, on_fault
        self.failed: dict[Unit, str] = {}  # why
        self._flows_by_unit: dict[Unit, dict[FlowKey, FlowBody]] = {}
        self._owner: dict[FlowKey, Unit] = {}  # whose flow counts
        self._rivals: dict[FlowKey, list[Unit]] = {}  # all who make a key, in order, if several do
        self._meters: dict[int, Meter] = {}
        self._meter_by_unit: dict[Unit, tuple[Meter, ...]] = {}
        self._meters_made: dict[Unit, tuple[Meter, ...]] = {}  # anew, in this pass
        self._zone_by_port: dict[Unit, int] = {}
        self._port_by_zone: dict[int, Unit] = {}

    def update(self, units: Set[Unit]) -> Change:
        """Make the flows of these units again; what comes out is only what differs."""
        return self._update(sorted(units))

    def _update(self, ordered: Sequence[Unit]) -> Change:
        before: dict[FlowKey, _Owned | None] = {}
        fresh: dict[Unit, None] = {}  # had no flows, and makes what nobody makes; in order
        for unit in ordered:
            self._replace(unit, before, fresh)
        ports = [unit for unit in ordered if unit.kind in _WITH_METERS]
        meters_put, meters_taken = self._update_meters(ports)
        zones = self._update_zones(ports)
        return Change(self._difference(before, fresh), meters_put, meters_taken, *zones)

    def pieces(self, units: Set[Unit]) -> Iterator[Change]:
        """`update` in pieces, each made when it is asked for, if many neighbours are new.

        These come after what ports need, and before the routers that lead to them.
        """
        new: list[Unit] = []
        others: list[Unit] = []
        for unit in sorted(units):
            is_new = unit.kind is _NEIGHBOUR and unit not in self._flows_by_unit
            (new if is_new else others).append(unit)
        if len(new) <= self._piece_units:
            yield self.update(units)
            return
        yield self._update([unit for unit in others if unit.kind not in _OF_ROUTERS])
        for at in range(0, len(new), self._piece_units):
            yield self._update(new[at : at + self._piece_units])
        yield self._update([unit for unit in others if unit.kind in _OF_ROUTERS])

    @property
    def meters(self) -> Mapping[int, Meter]:
        """Every meter that a flow may name."""
        return self._meters

    def flows(self) -> Iterator[tuple[Unit, FlowKey, FlowBody]]:
        """Every flow that counts, with the unit that owns it."""
        for key, unit in self._owner.items():
            yield unit, key, self._flows_by_unit[unit][key]

    def owner_of(self, key: FlowKey) -> Unit | None:
        """Whose flow counts under a key."""
        return self._owner.get(key)

    def _replace(
        self, unit: Unit, before: dict[FlowKey, _Owned | None], fresh: dict[Unit, None]
    ) -> None:
        """Make a unit's flows; what counted before the pass is noted, unless nothing did."""
        new = self._made(unit)
        old = self._flows_by_unit.pop(unit, _NOTHING)
        if new:
            self._flows_by_unit[unit] = new
        if not old and self._owner.keys().isdisjoint(new):
            if new:
                self._owner.update(dict.fromkeys(new, unit))
                fresh[unit] = None
            return
        for key, body in old.items():
            if new.get(key) != body:
                self._note(key, before, fresh, (unit, body))
                if key not in new:
                    self._disclaim(key, unit)
        for key in new.keys() - old.keys():
            if key in self._owner:
                self._note(key, before, fresh, None)
                self._join(key, unit)
            else:
                before.setdefault(key)
                self._owner[key] = unit

    def _made(self, unit: Unit) -> dict[FlowKey, FlowBody]:
        """The flows of a unit; the meters that they name are noted."""
        try:
            made = dict(map(encoded, unit_flows(self._model, unit)))
            if unit.kind in _WITH_METERS:
                self._meters_made[unit] = tuple(unit_meters(self._model, unit))
        except Exception as error:  # the unit's boundary
            if self._on_fault is None or unit == HOST_UNIT:
                raise
            self.failed[unit] = f"no flows can be made of it: {error}"
            self._on_fault(unit, error)
            return {}
        self.failed.pop(unit, None)
        return made

    def _note(
        self,
        key: FlowKey,
        before: dict[FlowKey, _Owned | None],
        fresh: dict[Unit, None],
        changing: _Owned | None,
    ) -> None:
        """What counted before the pass; `changing` is what the unit had that is being made."""
        if key in before:
            return
        owner = self._owner[key]
        if owner in fresh:
            before[key] = None
        elif changing is not None and changing[0] == owner:
            before[key] = changing
        else:
            before[key] = (owner, self._flows_by_unit[owner][key])

    def _join(self, key: FlowKey, unit: Unit) -> None:
        rivals = self._rivals.setdefault(key, [self._owner[key]])
        insort(rivals, unit)
        self._owner[key] = rivals[0]

    def _disclaim(self, key: FlowKey, unit: Unit) -> None:
        rivals = self._rivals.get(key)
        if rivals is None:
            del self._owner[key]
            return
        rivals.remove(unit)
        self._owner[key] = rivals[0]
        if len(rivals) == 1:
            del self._rivals[key]

    def _difference(
        self, before: Mapping[FlowKey, _Owned | None], fresh: Iterable[Unit]
    ) -> tuple[UnitChange, ...]:
        if not before:
            return tuple(self._all_of(unit) for unit in fresh)
        puts: dict[Unit, list[tuple[FlowKey, FlowBody]]] = {}
        takes: dict[Unit, list[FlowKey]] = {}
        for unit in fresh:
            flows = self._flows_by_unit[unit].items()
            puts[unit] = [put for put in flows if put[0] not in before]
        for key, was in before.items():
            owner = self._owner.get(key)
            if owner is not None:
                body = self._flows_by_unit[owner][key]
                if was is None or was[1] != body:
                    puts.setdefault(owner, []).append((key, body))
            elif was is not None:
                takes.setdefault(was[0], []).append(key)
        # What is put comes first: nothing is without its flow while it moves from unit to unit.
        order = sorted(puts) + sorted(takes.keys() - puts.keys())
        return tuple(
            UnitChange(unit, tuple(puts.get(unit, ())), tuple(takes.get(unit, ())))
            for unit in order
        )

    def _all_of(self, unit: Unit) -> UnitChange:
        return UnitChange(unit, tuple(self._flows_by_unit[unit].items()), ())

    def _update_meters(self, units: Iterable[Unit]) -> tuple[tuple[Meter, ...], tuple[int, ...]]:
        touched: set[int] = set()
        for unit in units:
            old = self._meter_by_unit.pop(unit, ())
            new = self._meters_made.pop(unit, ())
            if new:
                self._meter_by_unit[unit] = new
            touched.update(meter.id for meter in chain(old, new))
        if not touched:
            return (), ()
        held = {meter.id: meter for each in self._meter_by_unit.values() for meter in each}
        before, self._meters = self._meters, held
        put = tuple(held[i] for i in sorted(touched) if i in held and before.get(i) != held[i])
        return put, tuple(i for i in sorted(touched) if i in before and i not in held)

    def _update_zones(self, units: Iterable[Unit]) -> tuple[dict[int, int], frozenset[int]]:
        put: dict[int, int] = {}
        left: set[int] = set()
        for unit in units:
            if unit.kind is not UnitKind.PORT:
                continue
            wired = self._model.wired(unit.id)
            before, now = self._zone_by_port.pop(unit, None), wired.number if wired else None
            if before is not None and before != now and self._port_by_zone[before] == unit:
                del self._port_by_zone[before]
                left.add(before)
            if now is not None:
                self._zone_by_port[unit], self._port_by_zone[now] = now, unit
                put[now] = cookie_of(unit)
        return put, frozenset(left - put.keys())
