"""The shell's loop: what came in -> what is wanted -> what differs -> the switch -> reports.

One pass at a time; what arrives during a pass is taken together by the next one, and an idle agent
waits for nothing. Everything here runs in one event loop, so between two awaits it is consistent.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import structlog

from alcor.agent.announcements.beacon import Beacon
from alcor.agent.announcements.herald import Herald, Outgoing
from alcor.agent.announcements.owned import owned_outside
from alcor.agent.compiler.compiler import Change, Compiler
from alcor.agent.desired.desired import Desired, Taken
from alcor.agent.desired.state import SavedState
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface, Tunnel, Unit, UnitKind
from alcor.agent.model.networks.shared_addresses import Holder
from alcor.agent.model.ports.monitoring import Kinds
from alcor.agent.model.statuses import as_refused, port_states
from alcor.goal_state.entries import Mirror, Tap, TapFlow
from alcor.ovs.openflow.flows import FlowBody, FlowCounts, FlowKey
from alcor.runtime.observability import spans
from alcor.transport.link import Connected, Disconnected, Frame, Link, PortState, Report
from alcor.values.addresses import Address, Mac
from alcor.values.traceparent import request_of

# What changes with what this host answers for outside.
_OUTSIDE = frozenset((UnitKind.ROUTER, UnitKind.FLOATING, UnitKind.NETWORK))

_COPYING = (Mirror, Tap, TapFlow)

events_pending_max = 256  # frames that wait for a pass; the link is not read beyond
traces_max = 10_000  # requests that are named when the switch has what they changed

log = structlog.get_logger()


class Driver(Protocol):
    """What the loop needs of the switch."""

    @property
    def flows_count(self) -> int:
        """How many flows the switch has."""
        ...

    @property
    def quarantined(self) -> Mapping[Unit, str]:
        """What the switch refused, and why."""
        ...

    def want(self, change: Change) -> None:
        """Move what is wanted."""
        ...

    def left_over(self, kind: UnitKind) -> list[tuple[FlowKey, FlowBody]]:
        """The flows of a kind of units that are there and not wanted."""
        ...

    def prune(self) -> None:
        """Whatever is there and not wanted goes at the next `apply`."""
        ...

    async def apply(self, more: Iterator[Change]) -> bool:
        """Make it so, and `more`, acknowledged; False when the switch is not there."""
        ...

    async def audit(self) -> None:
        """Read back."""
        ...


Queues = Mapping[str, Mapping[int, int]]  # bits a second, by bridge and queue
Adopt = Callable[[Iterable[tuple[FlowKey, FlowBody]]], None]
Settled = Callable[[], list[Outgoing]]  # what is to be sent then
Send = Callable[[Iterable[Outgoing]], None]  # frames to the switch, if it is there


class Reconciler:
    """Brings goal state to the switch, and tells how far it is."""

    def __init__(
        self,
        desired: Desired,
        model: HostModel,
        link: Link,
        driver: Driver,
        send: Send,
        metrics: Metrics,
    ) -> None:
        self._desired, self._model, self._link = desired, model, link
        self._driver, self._send, self._metrics = driver, send, metrics
        self._herald, self._beacon = Herald(), Beacon()
        self._compiler = Compiler(model, on_fault=self._tell_unmade)
        self._events: deque[Frame | Connected | Disconnected] = deque()
        self._units: set[Unit] = set()
        self._began_s_by_trace: dict[str, float] = {}  # of changes taken, and not acknowledged
        self._wake, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._first_change_at: float | None = None
        self._may_write = False
        self._audit_due = False
        self._refused: set[str] = set()  # slices, when last looked at
        self._pruned = self._has_read = False
        self._connected = self._told_lost = False
        self._tell_all = False
        self._datapath_type = ""  # of the bridge, once it is known
        self._applied = (0, 0)  # epoch, position
        self._states: Mapping[str, PortState] = {}  # as the switch has it
        self._gateways: Mapping[str, PortState] = {}  # as their next hops are heard
        self._told: Mapping[str, PortState] = {}
        self._told_applied = (0, 0)
        self._fault = self._told_fault = ""  # why the switch can't be told anything
        self.unsaved = asyncio.Event()
        self.want_copies: Callable[[Kinds], None] = lambda _: None  # of who makes ports for them
        self._queues_due = True  # what is guaranteed may have changed
        self.want_queues: Callable[[Queues], None] = lambda _: None  # of who makes them
        self.adopt: Adopt = lambda _: None  # is given who outside is left over on the switch
        self.settled: Settled = list  # told when the switch is as wanted
        self.outside_changed: Callable[[], None] = lambda: None  # what is asked, and of whom

    # What comes in

    def restore(self, state: SavedState | None) -> None:
        """Begin with what the disk remembers, and subscribe from there."""
        self._touch(self._model.units())
        if state is not None:
            self._absorb(self._desired.restore(state))
        self._subscribe()

    def _subscribe(self) -> None:
        """Want what is wanted; for what the link wants already this does nothing."""
        for name, epoch, position in self._desired.subscriptions():
            self._link.subscribe(name, epoch, position)

    async def read(self, events: AsyncIterator[Frame | Connected | Disconnected]) -> None:
        """Take what the link hands out, no faster than passes are made; for ever."""
        async for event in events:
            self._events.append(event)
            self._note_change()
            if len(self._events) >= events_pending_max:
                self._metrics.limit_reached.labels("agent_events_pending").inc()
                self._room.clear()
                await self._room.wait()

    def set_interfaces(self, interfaces: Mapping[str, Interface]) -> None:
        """All interfaces of the switch that name a port."""
        for port_id in self._model.interfaces.keys() | interfaces.keys():
            self._touch(self._model.set_interface(port_id, interfaces.get(port_id)))

    def set_tunnel(self, tunnel: Tunnel | None) -> None:
        """The switch's tunnel port."""
        self._touch(self._model.set_tunnel(tunnel))

    def set_uplinks(self, uplinks: Mapping[str, int]) -> None:
        """The switch's ports to physical networks."""
        self._touch(self._model.exits.set_uplinks(uplinks))

    def set_datapath_type(self, datapath_type: str) -> None:
        """What the switch's bridge is."""
        if datapath_type and datapath_type != self._datapath_type:
            self._datapath_type, self._tell_all = datapath_type, True
            self._touch(self._model.set_datapath_type(datapath_type))
            self._wake.set()

    def datapath_type(self) -> str:
        """What the bridge is, as the switch said last; empty until it does."""
        return self._datapath_type

    def set_resolved(self, network_id: str, address: Address, mac: Mac | None) -> None:
        """Who has an address outside, as far as the agent has found out."""
        self._touch(self._model.exits.set_resolved(network_id, address, mac))
        self.unsaved.set()

    def set_holder(self, network_id: str, address: Address, holder: Holder | None) -> None:
        """Which port has an address that several may have, as far as was heard; None: nobody."""
        shared = self._model.shared
        if holder is None:
            self._touch(shared.lose_holder(network_id, address))
        else:
            self._touch(shared.set_holder(network_id, address, holder))
        self.unsaved.set()

    def set_gateways(self, states: Mapping[str, PortState], again: set[str]) -> None:
        """How the next hops of gateways are; of these ports it must be told again."""
        self._gateways = states
        self._told = {id_: told for id_, told in self._told.items() if id_ not in again}
        self._wake.set()

    def seek(self, names: Iterable[str]) -> None:
        """Look for neighbours; names of `found` slices."""
        self._absorb(self._desired.seek(names))
        self._note_change()  # it may be known already

    def forsake(self, names: Iterable[str]) -> None:
        """Look for them no more."""
        self._absorb(self._desired.forsake(names))

    def drop_leftovers(self, network_id: str) -> None:
        """Forget what is left of a network that was held as a whole."""
        self._absorb(self._desired.drop_leftovers(network_id))

    def sent_to(self, counts: Mapping[FlowKey, FlowCounts]) -> dict[str, int]:
        """How many packets hit the flows of each neighbour, by port id."""
        packets: dict[str, int] = {}
        for key, count in counts.items():
            unit = self._compiler.owner_of(key)
            if unit is not None and unit.kind is UnitKind.NEIGHBOUR:
                packets[unit.id] = packets.get(unit.id, 0) + count.packets
        return packets

    def allow_writing(self, allowed: bool) -> None:
        """Whether the switch is ours, and its interfaces are known."""
        self._may_write = allowed
        self._wake.set()

    def switch_is_new(self) -> None:
        """The switch is there (again), read back: make a pass."""
        self._herald.switch_is_new(self._model)
        self._has_read = True
        self._wake.set()

    def switch_is_away(self, reason: str) -> None:
        """The switch can't be told anything, until it is there again and has acknowledged."""
        self._fault = reason
        self._metrics.switch_away.set(1)
        self._tell_fault_of_switch()

    def audit(self) -> None:
        """Read the switch back in the next pass; tell of slices that have long been refused."""
        before, self._refused = self._refused, set(self._desired.refused)
        for name in sorted(self._refused & before):
            self._tell_fault(f"{name} is refused")
        self._audit_due = True
        self._wake.set()

    def advertise(self) -> None:
        """Say again what routers advertise to the machines here."""
        self._send(self._beacon.again())

    def announce_again(self) -> None:
        """Say again what was announced lately; any one frame may be lost."""
        self._send_counted(self._herald.again)

    # The loop

    async def run(self) -> None:
        """Make passes, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._pass()

    async def _pass(self) -> None:
        if self._audit_due and self._may_write:
            self._audit_due = False
            await self._driver.audit()  # before anything new is wanted: it would count as drift
        started, self._first_change_at = self._first_change_at, None
        self._take_events()
        if self._has_read and self._may_write and self._desired.settled:
            self._has_read = False
            self.adopt(self._driver.left_over(UnitKind.OUTSIDE))  # or they would be pruned
        units, self._units = self._units, set()
        self._queues_due |= any(unit.kind is UnitKind.PORT for unit in units)
        more = self._want(units)
        if not self._may_write:
            self._want_all(more)
            return
        states = port_states(self._model)  # what is known while we wait is not on the switch yet
        settled, reached = self._desired.settled, (self._desired.epoch, self._desired.position)
        began: dict[str, float] = {}
        if settled:  # else something that they lead to is still to come
            began, self._began_s_by_trace = self._began_s_by_trace, {}
        if settled and self._queues_due:  # what is missing may only not have come yet
            self._queues_due = False
            self.want_queues(self._model.queues)
        if settled and not self._pruned:
            self._want_all(more)  # or what is made last would go, and come again
            self._driver.prune()
            self._pruned = True
        is_done = await self._driver.apply(more)
        self._want_all(more)  # what the switch was not there to take
        if is_done:
            self._fault = ""
            self._metrics.switch_away.set(0)
            failed = {**self._driver.quarantined, **self._compiler.failed}
            self._states = {**as_refused(states, failed), **self._gateways}
            self._acknowledge(reached if settled else None, started)
            self._send(self.settled())
            self._tell_traces(began)

    def _want(self, units: set[Unit]) -> Iterator[Change]:
        """Want what has changed; what only adds is left over, to be made as it is sent.

        But when something is taken away, all that may come in its place must be known.
        """
        if not units:
            return iter(())
        self._beacon.note(units)
        more = self._compiler.pieces(units)
        first = next(more)
        self._driver.want(first)
        if first.takes:
            self._want_all(more)
        if any(unit.kind in _OUTSIDE for unit in units):
            self._herald.note_outside(owned_outside(self._model))
            self.outside_changed()
        return more

    def _want_all(self, more: Iterator[Change]) -> None:
        for change in more:
            self._driver.want(change)

    def _acknowledge(self, reached: tuple[int, int] | None, started: float | None) -> None:
        if reached is not None:
            self._applied = reached
            self._metrics.revision.set(reached[1])
        self._metrics.flows.set(self._driver.flows_count)
        if started is not None:
            seconds = asyncio.get_running_loop().time() - started
            self._metrics.apply_seconds.observe(seconds)
            log.debug("pass", position=self._applied[1], seconds=seconds)
        self._tell()
        self._announce()

    def _tell_traces(self, began_s_by_trace: Mapping[str, float]) -> None:
        """Whose changes the switch has acknowledged."""
        if began_s_by_trace:
            requests = sorted(set(map(request_of, began_s_by_trace)))
            log.info("applied", position=self._applied[1], requests=requests)
            seconds = asyncio.get_running_loop().time() - min(began_s_by_trace.values())
            spans.done("apply flows", began_s_by_trace, seconds, flows=self._driver.flows_count)

    def _announce(self) -> None:
        """What machines and the switch must hear now that the flows are there."""
        self._send_counted(self._herald.take)
        self._send(self._beacon.take(self._model))

    def _send_counted(self, say: Callable[[HostModel], list[Outgoing]]) -> None:
        before = self._herald.left_out
        self._send(say(self._model))
        left_out = self._herald.left_out - before
        if left_out:
            self._metrics.limit_reached.labels("agent_frames_at_once").inc(left_out)

    def _tell(self) -> None:
        """Report what changed since the last report; everything when the control plane is new."""
        told, states = {} if self._tell_all else self._told, self._states
        changed = tuple(state for port, state in states.items() if told.get(port) != state)
        if not self._connected:
            return
        differs = self._applied != self._told_applied or self._fault != self._told_fault
        if changed or self._tell_all or differs:
            self._report(changed)
            self._told, self._told_applied, self._tell_all = states, self._applied, False

    def _tell_fault_of_switch(self) -> None:
        """At once: how far the switch is would be told when it acknowledges."""
        if self._connected and self._fault != self._told_fault:
            self._report(())

    def _report(self, ports: Sequence[PortState]) -> None:
        # What was applied of another epoch says nothing about this one.
        position = self._applied[1] if self._applied[0] == self._desired.epoch else 0
        flows, type_, fault = self._driver.flows_count, self._datapath_type, self._fault
        self._link.report(Report(self._desired.epoch, position, ports, flows, type_, fault))
        self._told_fault = fault

    def _take_events(self) -> None:
        for event in self._drain():
            match event:
                case Frame():
                    self._absorb(self._desired.take(event))
                case Connected():
                    self._connected = self._tell_all = True
                    self._told_fault = ""
                    self._tell_fault_of_switch()
                    log.info("control plane connected")
                case Disconnected():
                    self._lose_control_plane(event.reason)

    def _lose_control_plane(self, reason: str) -> None:
        """Said once; while it stays away each attempt says the same."""
        if self._connected or not self._told_lost:
            what = "control plane lost" if self._connected else "no control plane"
            log.warning(what, reason=reason)
        self._connected, self._told_lost = False, True
        self._desired.lose_connection()
        self._subscribe()

    def _drain(self) -> Iterable[Frame | Connected | Disconnected]:
        while self._events:
            yield self._events.popleft()
        self._room.set()

    def _tell_fault(self, reason: str) -> None:
        self._metrics.goal_faults.inc()
        log.warning("goal state ignored", reason=reason)

    def _tell_unmade(self, unit: Unit, error: Exception) -> None:
        self._metrics.goal_faults.inc()
        what = f"{unit.kind.name} {unit.id}"
        log.error("no flows can be made", unit=what, exc_info=error)

    def _absorb(self, taken: Taken) -> None:
        for entry in taken.gone:
            self._touch(self._model.remove(entry))
        for entry in taken.put:
            self._touch(self._model.put(entry))
            self._herald.note(entry)
        if any(isinstance(each, _COPYING) for each in (*taken.put, *taken.gone)):
            self.want_copies(self._model.kinds_of_copies)
        for name in taken.unsubscribe:
            self._link.unsubscribe(name)
        for name, epoch, position in taken.subscribe:
            self._link.subscribe(name, epoch, position)
        for fault in taken.faults:
            self._tell_fault(fault)
        for trace in taken.traces:
            if trace and len(self._began_s_by_trace) < traces_max:
                self._began_s_by_trace.setdefault(trace, asyncio.get_running_loop().time())
        if taken.gone or taken.put:
            self.unsaved.set()

    def _touch(self, units: Iterable[Unit]) -> None:
        before = len(self._units)
        self._units.update(units)
        if len(self._units) != before:
            self._note_change()

    def _note_change(self) -> None:
        if self._first_change_at is None:
            self._first_change_at = asyncio.get_running_loop().time()
        self._wake.set()
