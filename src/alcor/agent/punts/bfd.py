"""Next hops of gateways, watched by BFD: on the host by whose uplink each gateway leads.

A router that wants it has a session with each next hop, of IPv4 and of IPv6, of its gateways that
lead by this host. What is found out is told as the state of the gateway's port, and comes back to
all hosts of the router in goal state: a gateway is DOWN when a next hop that has spoken speaks no
more. One that has never spoken says nothing about itself: it is UNKNOWN, and the gateway is used.

What this host can't hear says nothing of who speaks: while the agent or its switch stood still, a
session waits as much longer. Pure: the clock and chance are given. Sources: RFC 5880, RFC 5881.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from alcor.agent.announcements.herald import Outgoing, uplink_actions
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.model.routers.exits import Exit
from alcor.agent.packets import bfd
from alcor.agent.packets.bfd import Control
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.bfd_session import Session
from alcor.agent.punts.outside import Asker, OutsideNeighbours
from alcor.goal_state.entries import Gateway, NextHop
from alcor.goal_state.reports import PortStatus
from alcor.ovs.openflow.packets import PacketIn
from alcor.transport.link import PortState
from alcor.values.addresses import Address, Mac, eui64_link_local

interval_s = 0.3  # between packets while a session is up
packets_per_s_max = 300  # of all sessions: where there are many each speaks less often
gateways_max = 1_000
patience_s = 5.0  # for a next hop that was up when this host began to ask
tell_again_s = 5.0  # what goal state does not say yet
_late_s = 0.1  # beyond it the agent stood still
_wait_s_min, _wait_s_max = 0.02, 1.0
_NUMBERS = 0xFFFF_FFFE
_ports_first, _ports = 49_152, 16_384  # source ports (RFC 5881 section 4)

_STATUS = {
    NextHop.UNKNOWN: PortStatus.UNWATCHED,
    NextHop.UP: PortStatus.UP,
    NextHop.DOWN: PortStatus.DOWN,
}

_WHY = {
    NextHop.UNKNOWN: "",
    NextHop.UP: "the next hop speaks BFD",
    NextHop.DOWN: "the next hop speaks BFD no more, or says that it is down",
}

log = structlog.get_logger()

Tell = Callable[[Mapping[str, PortState], set[str]], None]


class _Line(NamedTuple):
    """Between whom a session is: the router's address outside and its gateway's next hop."""

    network_id: str
    mac: Mac
    own: Address
    hop: Address


@dataclass(slots=True)
class _Watched:
    gateway: Gateway
    sessions: dict[_Line, Session]  # of each family one
    since_s: float
    is_another: bool  # it is not of these next hops that goal state speaks

    def verdict(self, now_s: float) -> NextHop:
        """How the next hops are."""
        every = self.sessions.values()
        if any(each.is_lost(now_s) for each in every):
            return NextHop.DOWN
        if any(each.was_up for each in every):
            return NextHop.UP
        known = NextHop.UNKNOWN if self.is_another else self.gateway.next_hop
        is_early = now_s < self.since_s + patience_s
        return NextHop.DOWN if known is NextHop.UP and not is_early else known


class NextHops:
    """The sessions of this host, by the gateway's port."""

    def __init__(
        self,
        model: HostModel,
        outside: OutsideNeighbours,
        clock: Callable[[], float],
        chance: Callable[[], float],
        tell: Tell,
        metrics: Metrics,
    ) -> None:
        """`tell` is given the state of each gateway here, and those that must be told again."""
        self._model, self._outside = model, outside
        self._clock, self._chance, self._tell, self._metrics = clock, chance, tell, metrics
        self._watched: dict[str, _Watched] = {}
        self._sessions: dict[_Line, Session] = {}
        self._line_by_ends: dict[tuple[str, Address, Address], _Line] = {}  # theirs, ours
        self._network_by_vni: dict[int, str] = {}
        self._left: dict[str, Gateway] = {}  # that goal state speaks of, and nobody watches
        self._told: dict[str, PortState] = {}
        self._tell_again_at_s = 0.0
        self._looked_at_s = self._planned_s = clock()

    def look(self) -> None:
        """Routers or what is outside have changed: whom to watch now."""
        now_s, before = self._clock(), self._watched
        here = list(self._here())
        wanted = [(exit_, lines) for exit_, lines in here if lines]
        if len(wanted) > gateways_max:
            self._metrics.limit_reached.labels("agent_gateways_watched").inc()
            wanted = wanted[:gateways_max]
        every_s = max(interval_s, sum(len(lines) for _, lines in wanted) / packets_per_s_max)
        self._watched = {}
        for exit_, lines in wanted:
            held = before.get(exit_.gateway.port_id)
            kept = held.sessions if held is not None else {}
            is_another = held is not None and (held.is_another or not kept.keys() & set(lines))
            since_s = held.since_s if held is not None else now_s
            sessions = {line: kept.get(line) or self._session(every_s, now_s) for line in lines}
            watched = _Watched(exit_.gateway, sessions, since_s, is_another)
            self._watched[exit_.gateway.port_id] = watched
        self._sessions = {
            line: session
            for watched in self._watched.values()
            for line, session in watched.sessions.items()
        }
        self._line_by_ends = {(e.network_id, e.hop, e.own): e for e in self._sessions}
        self._network_by_vni = {exit_.network.vni: exit_.network.id for exit_, _ in here}
        for session in self._sessions.values():
            session.set_interval(every_s)
        self._left = {
            exit_.gateway.port_id: exit_.gateway
            for exit_, lines in here
            if lines is None and exit_.gateway.next_hop is not NextHop.UNKNOWN
        }
        self._say_how_they_are(now_s)

    def hear(self, packet: PacketIn) -> list[Outgoing]:
        """Somebody outside speaks to a router here; `Malformed` when that is no BFD."""
        source, target, control = bfd.parse(packet.data)
        network_id = self._network_by_vni.get(packet.field(p.VNI), "")
        line = self._line_by_ends.get((network_id, source, target))
        if line is None:
            return []
        session = self._sessions[line]
        now_s, before = self._clock(), session.state
        answer = session.hear(control, now_s)
        out = list(self._sent(line, answer)) if answer is not None else []
        if session.state is not before:
            out += self._speak(line, session, now_s)
            self._say_how_they_are(now_s)
        return out

    def tick(self, *, is_heard: bool) -> list[Outgoing]:
        """Say what is due; miss who is silent, unless nobody can be heard now."""
        now_s = self._clock()
        deaf_s = now_s - (self._planned_s if is_heard else self._looked_at_s)
        self._looked_at_s = now_s
        out: list[Outgoing] = []
        for line, session in self._sessions.items():
            if deaf_s > _late_s or not is_heard:
                session.wait_longer(max(0.0, deaf_s))
            if is_heard:
                session.expire(now_s)
                out += self._speak(line, session, now_s)
        self._say_how_they_are(now_s)
        return out

    def wait_s(self) -> float | None:
        """How long there is nothing to do, unless something changes; None: for ever."""
        if not self._watched and not self._left:
            return None
        now_s = self._clock()
        next_s = min((e.next_s for e in self._sessions.values()), default=now_s + _wait_s_max)
        self._planned_s = min(max(next_s, now_s + _wait_s_min), now_s + _wait_s_max)
        return self._planned_s - now_s

    def _session(self, every_s: float, now_s: float) -> Session:
        return Session(1 + int(self._chance() * _NUMBERS), every_s, speaks_at_s=now_s)

    def _here(self) -> Iterator[tuple[Exit, list[_Line] | None]]:
        """The gateways that lead by this host, and whom to speak to; None: it is not wanted."""
        outside = self._model.exits.outside
        for router in self._model.routing.routers.values():
            gateways = outside.gateways.get(router.id, {}).values()
            if router.bfd or any(each.next_hop is not NextHop.UNKNOWN for each in gateways):
                for exit_ in self._model.exits.of(router):
                    if exit_.is_here:
                        is_wanted = router.bfd and router.admin_state_up
                        yield exit_, _lines_of(exit_) if is_wanted else None

    def _say_how_they_are(self, now_s: float) -> None:
        verdicts = {id_: (each.verdict(now_s), each.gateway) for id_, each in self._watched.items()}
        verdicts |= {id_: (NextHop.UNKNOWN, gateway) for id_, gateway in self._left.items()}
        self._metrics.gateways_down.set(sum(how is NextHop.DOWN for how, _ in verdicts.values()))
        states = {
            id_: PortState(id_, _STATUS[how], _WHY[how]) for id_, (how, _) in verdicts.items()
        }
        again: set[str] = set()
        if now_s >= self._tell_again_at_s:
            self._tell_again_at_s = now_s + tell_again_s
            again = {id_ for id_, (how, gateway) in verdicts.items() if how is not gateway.next_hop}
        for id_, state in states.items():
            before = self._told.get(id_)
            if before is not None and before.status is not state.status:
                _log_change(self._watched.get(id_), state)
        if again or states != self._told:
            self._told = states
            self._tell(states, again)

    def _speak(self, line: _Line, session: Session, now_s: float) -> Iterator[Outgoing]:
        said = session.speak(now_s, self._chance())
        return self._sent(line, said) if said is not None else iter(())

    def _sent(self, line: _Line, control: Control) -> Iterator[Outgoing]:
        network_id, mac, own, hop = line
        network = self._model.networks.get(network_id)
        at = self._model.exits.outside.resolved.get(network_id, {}).get(hop)
        if network is None:
            return
        if at is None:
            asker = Asker(mac, own if own.version == 4 else eui64_link_local(mac))
            yield from self._outside.look_for(network, asker, hop)
            return
        port = _ports_first + control.mine % _ports
        frame = bfd.frame((mac, at), own, hop, port, control)
        yield Outgoing(frame, uplink_actions(self._model, network))


def _log_change(watched: _Watched | None, state: PortState) -> None:
    hops = [str(line.hop) for line in watched.sessions] if watched is not None else []
    match state.status:
        case PortStatus.DOWN:
            log.warning("next hop is down", gateway=state.port_id, next_hops=hops)
        case PortStatus.UP:
            log.info("next hop is up", gateway=state.port_id, next_hops=hops)


def _lines_of(exit_: Exit) -> list[_Line]:
    found = []
    for version in (4, 6):
        hop, own = exit_.default_hop(version), exit_.addresses(version)
        if hop is not None and own:
            found.append(_Line(exit_.network.id, exit_.mac, own[0], hop))
    return found
