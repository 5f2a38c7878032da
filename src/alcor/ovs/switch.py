"""A switch in memory: flows as values in, packets through, and where each came out and why.

Pure and small, for tests and for `alcor trace`; tests/contract/ovs compares it with a real switch.
It knows what `flow.py` can say. Where it is simpler than a switch: a meter never drops (it is
noted), `multipath` writes 0, all queues of a port are one, and connections are remembered only in
the tracker that the caller gives (without one every connection is new, as with ofproto/trace).
Source: OpenFlow 1.4 section 5, ovs-actions(7).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alcor.ovs.fields import FIELD_BY_NAME, FIELDS
from alcor.ovs.flow import (
    CONTROLLER,
    DROP,
    IN_PORT,
    Action,
    CheckLarger,
    Clone,
    Conjunction,
    Ct,
    CtClear,
    DecTtl,
    Flow,
    Load,
    Match,
    Move,
    Multipath,
    Output,
    PopVlan,
    Punt,
    PushVlan,
    Resubmit,
    SetField,
    SetQueue,
)
from alcor.ovs.packet import Packet
from alcor.ovs.tracker import Tracker

look_ups_max = 4096  # a real switch stops there too
depth_max = 64
INVALID_TTL, BY_ACTION = 2, 1  # why a packet went to the controller

_IN_PORT, _METADATA = FIELD_BY_NAME["in_port"].place, FIELD_BY_NAME["metadata"].place
_IP_TTL = FIELD_BY_NAME["ip_ttl"].place
_CT_STATE, _CT_ZONE = FIELD_BY_NAME["ct_state"].place, FIELD_BY_NAME["ct_zone"].place
_CT_MARK, _CT_LABEL = FIELD_BY_NAME["ct_mark"].place, FIELD_BY_NAME["ct_label"].place
_CT_TUPLE = {
    version: tuple(FIELD_BY_NAME[name].place for name in names)
    for version, names in {
        4: ("ct_nw_src", "ct_nw_dst", "ct_nw_proto", "ct_tp_src", "ct_tp_dst"),
        6: ("ct_ipv6_src", "ct_ipv6_dst", "ct_nw_proto", "ct_tp_src", "ct_tp_dst"),
    }.items()
}
_OF_CONNECTIONS = {_CT_STATE, _CT_ZONE, _CT_MARK, _CT_LABEL, *_CT_TUPLE[4], *_CT_TUPLE[6]}
_CONJ_ID = FIELD_BY_NAME["conj_id"].place
_FIRST_TUNNEL = FIELD_BY_NAME["tun_id"].place
_OF_THE_PIPELINE = frozenset(
    (_IN_PORT, FIELD_BY_NAME["conj_id"].place, *range(_FIRST_TUNNEL, len(FIELDS)))
)


_NO_FLOW = Flow(0, 0, Match(()), DROP)


class TooDeep(Exception):
    """The flows go round in circles: a real switch gives up here."""


class Sent(NamedTuple):
    """A packet that left by a port, with the pipeline's fields (tun_dst, tun_id ...) by name."""

    port: int
    packet: Packet
    fields: Mapping[str, int]


class Punted(NamedTuple):
    """A packet that went to the controller."""

    packet: Packet
    fields: Mapping[str, int]
    flow: Flow
    reason: int
    meter: int
    userdata: bytes


class Step(NamedTuple):
    """One look-up: which table, and which flow was found."""

    table: int
    flow: Flow | None  # None: nothing matched


class Trace(NamedTuple):
    """What became of a packet; no outcome means that it was dropped at the last step."""

    outcomes: tuple[Sent | Punted, ...]
    steps: tuple[Step, ...]
    meters: tuple[int, ...]  # that it was measured by, in order

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What left by ports."""
        return tuple(each for each in self.outcomes if isinstance(each, Sent))

    @property
    def punted(self) -> tuple[Punted, ...]:
        """What went to the controller."""
        return tuple(each for each in self.outcomes if isinstance(each, Punted))

    @property
    def tables(self) -> tuple[int, ...]:
        """The path: numbers of the tables looked up."""
        return tuple(step.table for step in self.steps)


class Switch:
    """Flow tables. Of equal keys the last flow counts, as in a switch."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        by_key = {(flow.table, flow.priority, flow.match): flow for flow in flows}
        self._tables: dict[int, list[Flow]] = {}
        for flow in sorted(by_key.values(), key=lambda flow: -flow.priority):
            self._tables.setdefault(flow.table, []).append(flow)

    def trace(
        self,
        frame: bytes | Packet,
        in_port: int,
        fields: Mapping[str, int] | None = None,
        connections: Sequence[int] = (),
        table: int = 0,
        tracker: Tracker | None = None,
    ) -> Trace:
        """Send a frame in by a port, with pipeline fields (of a tunnel: tun_id, tun_src).

        `connections` are the ct_state bits that are found, one for each time the tracker is asked;
        then it is `tracker` that answers, and that remembers what is committed.
        `TooDeep` when the flows never come to an end.
        """
        packet = frame if isinstance(frame, Packet) else Packet(frame)
        state = {FIELD_BY_NAME[name].place: value for name, value in (fields or {}).items()}
        known = tracker or Tracker()
        run = _Run(self, packet, {**state, _IN_PORT: in_port}, list(connections), known)
        run.through(table)
        while run.tracked:
            run.resume(*run.tracked.pop(0))
        return Trace(tuple(run.outcomes), tuple(run.steps), tuple(run.meters))

    def find(self, table: int, packet: Packet, state: Mapping[int, int]) -> Flow | None:
        """The flow of highest priority that matches; of conjunctions one that is whole."""
        parts: list[Flow] = []
        plain: Flow | None = None
        for flow in self._tables.get(table, ()):
            if plain is not None and flow.priority < plain.priority:
                break
            if _matches(flow.match, packet, state):
                if _is_part(flow):
                    parts.append(flow)
                elif plain is None:
                    plain = flow
        for number in _whole(parts):
            found = self._with_conjunction(table, packet, {**state, _CONJ_ID: number})
            if found is not None:
                return found
        return plain

    def _with_conjunction(
        self, table: int, packet: Packet, state: Mapping[int, int]
    ) -> Flow | None:
        for flow in self._tables.get(table, ()):
            if not _is_part(flow) and _matches(flow.match, packet, state):
                return flow
        return None


def _matches(match: Match, packet: Packet, state: Mapping[int, int]) -> bool:
    for place, value, mask in match.terms:
        held = state.get(place, 0) if place in _OF_THE_PIPELINE else packet.get(place)
        if (held ^ value) & mask:
            return False
    return True


def _is_part(flow: Flow) -> bool:
    actions = flow.instructions.actions
    return bool(actions) and isinstance(actions[0], Conjunction)


def _whole(parts: Iterable[Flow]) -> Iterator[int]:
    """The conjunctions of which every dimension is matched, at one priority."""
    found: dict[tuple[int, int], set[int]] = {}
    for flow in parts:
        for action in flow.instructions.actions:
            if isinstance(action, Conjunction):
                dimensions = found.setdefault((flow.priority, action.id), set())
                dimensions.add(action.dimension)
                if len(dimensions) == action.dimensions:
                    yield action.id


@dataclass
class _Run:
    """One packet under way: what it is now, and what was done with it so far."""

    switch: Switch
    packet: Packet
    state: dict[int, int]
    connections: list[int]
    tracker: Tracker
    outcomes: list[Sent | Punted] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    meters: list[int] = field(default_factory=list)
    tracked: list[tuple[int, Packet, dict[int, int]]] = field(default_factory=list)
    depth: int = 0

    def through(self, table: int) -> None:
        """Look the packet up in a table and those that follow."""
        goto: int | None = table
        while goto is not None:
            if self.depth > depth_max or len(self.steps) >= look_ups_max:
                raise TooDeep(f"at table {goto}")
            flow = self.switch.find(goto, self.packet, self.state)
            self.steps.append(Step(goto, flow))
            goto = None if flow is None else self._do(flow)

    def resume(self, table: int, packet: Packet, state: dict[int, int]) -> None:
        """Go on with a copy that came back from the connection tracker."""
        self.packet, self.state = packet, state
        self.through(table)

    def _do(self, flow: Flow) -> int | None:
        """Carry a flow out; the table to go on at."""
        actions, goto, metadata, meter = flow.instructions
        if meter is not None:
            self.meters.append(meter)
        for action in actions:
            if not self._act(action, flow):
                return None
        if metadata is not None:
            self._set(_METADATA, *metadata)
        return goto

    def _act(self, action: Action, flow: Flow) -> bool:
        """Carry an action out; False when the flow ends there."""
        match action:
            case Output():
                self._output(action, flow)
            case Punt(_, meter, userdata):
                self._punt(flow, BY_ACTION, meter, userdata)
            case SetField(place, value, mask):
                self._set(place, value, mask)
            case Load(place, offset, bits, value):
                self._set(place, value << offset, (1 << bits) - 1 << offset)
            case Move():
                self._move(action)
            case PushVlan(ethertype):
                self.packet = self.packet.push_vlan(ethertype)
            case PopVlan():
                self.packet = self.packet.pop_vlan()
            case DecTtl():
                return self._dec_ttl(flow)
            case Resubmit(table):
                self._resubmit(table)
            case Ct():
                self._track(action)
            case CheckLarger(length, place, offset):
                larger = len(self.packet.frame) > length
                self._set(place, larger << offset, 1 << offset)
            case Multipath(_, place, bits):
                self._set(place, 0, (1 << bits) - 1)
            case SetQueue():
                pass
            case Clone(actions):
                self._copy(actions, flow)
            case CtClear():
                self.state = {k: v for k, v in self.state.items() if k not in _OF_CONNECTIONS}
        return True

    def _get(self, place: int) -> int:
        return self.state.get(place, 0) if place in _OF_THE_PIPELINE else self.packet.get(place)

    def _set(self, place: int, value: int, mask: int) -> None:
        if place in _OF_THE_PIPELINE:
            self.state[place] = self.state.get(place, 0) & ~mask | value & mask
        else:
            self.packet = self.packet.with_bits(place, value, mask)

    def _move(self, action: Move) -> None:
        mask = (1 << action.bits) - 1
        value = self._get(action.source) >> action.source_offset & mask
        self._set(action.target, value << action.target_offset, mask << action.target_offset)

    def _named_state(self) -> dict[str, int]:
        return {FIELDS[place].name: value for place, value in self.state.items()}

    def _output(self, action: Output, flow: Flow) -> None:
        if action.port == CONTROLLER:
            self._punt(flow, BY_ACTION, 0, b"")
        elif action.port == IN_PORT:
            if not self._get(_IN_PORT):
                return  # it has forgotten where it came from
            self.outcomes.append(Sent(self._get(_IN_PORT), self.packet, self._named_state()))
        elif action.port != self._get(_IN_PORT):
            self.outcomes.append(Sent(action.port, self.packet, self._named_state()))

    def _punt(self, flow: Flow, reason: int, meter: int, userdata: bytes) -> None:
        if meter:
            self.meters.append(meter)
        punted = Punted(self.packet, self._named_state(), flow, reason, meter, userdata)
        self.outcomes.append(punted)

    def _copy(self, actions: Sequence[Action], flow: Flow) -> None:
        """Do something to a copy; what it changes is seen by nobody else."""
        packet, state = self.packet, self.state
        self.state = dict(state)
        for action in actions:
            if not self._act(action, flow):
                break
        self.packet, self.state = packet, state

    def _dec_ttl(self, flow: Flow) -> bool:
        ttl = self._get(_IP_TTL)
        if ttl <= 1:
            self._punt(flow, INVALID_TTL, 0, b"")
            return False
        self._set(_IP_TTL, ttl - 1, 0xFF)
        return True

    def _resubmit(self, table: int) -> None:
        self.depth += 1
        self.through(table)
        self.depth -= 1

    def _track(self, action: Ct) -> None:
        """A tracked copy goes on later; this one knows nothing of connections any more."""
        zone = action.zone
        if action.zone_field is not None:
            zone = self._get(action.zone_field) >> action.zone_offset & 0xFFFF
        state = self._known(zone)
        here = dict(self.state)
        if action.commit:
            self.state = state
            for each in action.committed:
                self._act(each, _NO_FLOW)
            mark, label = state.get(_CT_MARK, 0), state.get(_CT_LABEL, 0)
            self.tracker.commit(zone, self.packet, mark, label, action.nat)
        if action.nat is not None:
            self.packet, done = self.tracker.translate(zone, self.packet)
            state[_CT_STATE] |= done
        if action.table is not None:
            self.tracked.append((action.table, self.packet, state))
        self.state = {k: v for k, v in here.items() if k not in _OF_CONNECTIONS}

    def _known(self, zone: int) -> dict[int, int]:
        """The pipeline's fields with what the tracker finds of the packet."""
        found, key, connection = self.tracker.find(zone, self.packet)
        if self.connections:
            found = self.connections.pop(0)
        state = {k: v for k, v in self.state.items() if k not in _OF_CONNECTIONS}
        state |= {_CT_STATE: found, _CT_ZONE: zone}
        if key is not None:
            ends = (key.source, key.destination, key.protocol)
            ports = (key.source_port, key.destination_port)
            state |= zip(_CT_TUPLE[key.version], (*ends, *ports), strict=True)
        if connection is not None:
            state |= {_CT_MARK: connection.mark, _CT_LABEL: connection.label}
        return state
