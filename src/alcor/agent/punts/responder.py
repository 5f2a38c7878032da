"""Answers packets that flows punt, on a connection of its own so that no bundle holds them up.

The queue is bounded and drops the oldest; the switch's meters bound each port. Works from the
model alone, so machines are answered while the control plane is away.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import structlog

from alcor.agent.announcements import ra
from alcor.agent.announcements.herald import Outgoing
from alcor.agent.drivers.attempts import Attempts
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Wired
from alcor.agent.packets.advertisement import parse_solicitation
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts import dhcp4, dhcp6, nd, router, stale
from alcor.agent.punts.bfd import NextHops
from alcor.agent.punts.decisions import DecisionLogs
from alcor.agent.punts.dhcp import Answer, Served, Silence
from alcor.agent.punts.outside import OutsideNeighbours
from alcor.agent.punts.seeking import Seeker
from alcor.agent.punts.shared_addresses import SharedNeighbours
from alcor.ovs.channel import Disconnected
from alcor.ovs.connection import OpenFlow, PacketQueue
from alcor.ovs.openflow.packets import PacketIn

packets_pending_max = 1_000
frames_waiting_max = 1_000  # of the agent's own, for a switch that is away
packets_per_turn = 32  # answered before others get the processor
faults_told_max = 100  # of ours, each once: machines send what they like, as often as they like

log = structlog.get_logger()


class Responder:
    """Takes packets, one by one, and sends answers back to the port that asked."""

    def __init__(self, socket: Path, model: HostModel, metrics: Metrics, lease_s: int) -> None:
        self._socket = socket
        self._model, self._metrics = model, metrics
        self._lease_s = lease_s
        self._kinds: dict[bytes, Callable[[PacketIn, Wired], bytes | None]] = {
            p.PUNT_DHCP4: partial(self._dhcp, dhcp4.answer),
            p.PUNT_DHCP6: partial(self._dhcp, dhcp6.answer),
            p.PUNT_RA: self._ra,
            p.PUNT_ND: self._nd,
            p.PUNT_ROUTER: self._router,
        }
        self._takers: dict[bytes, Callable[[bytes, Wired], None]] = {}
        self.outside: OutsideNeighbours | None = None  # given once there is who hears of it
        self.shared: SharedNeighbours | None = None  # the same
        self.decisions: DecisionLogs | None = None  # given once there is where to write
        self.seeker: Seeker | None = None  # the same
        self.next_hops: NextHops | None = None  # the same
        self._session: OpenFlow | None = None
        self._faults_told: set[tuple[str, str]] = set()
        self._waiting: deque[Outgoing] = deque(maxlen=frames_waiting_max)

    def hand_over(self, kind: bytes, take: Callable[[bytes, Wired], None]) -> None:
        """Give frames of this kind to somebody who answers by `send`, now or later."""
        self._takers[kind] = take
        self._kinds[kind] = self._taken

    @property
    def is_connected(self) -> bool:
        """Whether packets come."""
        return self._session is not None

    async def run(self) -> None:
        """Connect and answer, again and again; for ever."""
        attempts = Attempts()
        while True:
            attempts.begin()
            queue = PacketQueue(packets_pending_max)
            try:
                session = await OpenFlow.connect(self._socket, queue.put)
            except (OSError, Disconnected) as error:
                log.debug("no switch for packets", reason=str(error))
            else:
                await self._serve(session, queue)
            await attempts.pause()

    async def _serve(self, session: OpenFlow, queue: PacketQueue) -> None:
        """Answer until the switch goes."""
        self._session = session
        self.send(())
        answering = asyncio.create_task(self._answer_all(queue))
        try:
            log.info("packets are no longer answered", reason=await session.closed())
        finally:
            self._session = None
            answering.cancel()
            session.close()
            await asyncio.gather(answering, return_exceptions=True)
            self._count_dropped(queue)

    async def _answer_all(self, queue: PacketQueue) -> None:
        while True:
            for _ in range(packets_per_turn):
                packet = await queue.get()
                self._count_dropped(queue)
                try:
                    self.send(self._answers(packet))
                except Exception as error:  # the packet's boundary: all others are answered
                    self._tell_fault(packet.userdata.decode(errors="replace"), error)
            await asyncio.sleep(0)

    def _count_dropped(self, queue: PacketQueue) -> None:
        if queue.dropped:
            self._metrics.punts.labels("any", "dropped").inc(queue.dropped)
            queue.dropped = 0

    def _tell_fault(self, kind: str, error: Exception) -> None:
        self._metrics.punts.labels(kind, "failed").inc()
        told = kind, repr(error)
        if told not in self._faults_told and len(self._faults_told) < faults_told_max:
            self._faults_told.add(told)
            log.error("packet not answered", kind=kind, reason=str(error), exc_info=error)

    def _answers(self, packet: PacketIn) -> Iterable[Outgoing]:
        """What is to be sent for a packet's sake at once."""
        if packet.userdata in (p.PUNT_WANTED, p.PUNT_HEARD):
            return self._resolve(packet)
        if packet.userdata in p.LOGGED:
            if self.decisions is not None:
                self.decisions.take(packet)
            return ()
        if packet.userdata == p.PUNT_SEEK:
            return self.seeker.want(packet) if self.seeker else ()
        if packet.userdata == p.PUNT_SHARED:
            return self._share(packet)
        if packet.userdata == p.PUNT_STALE:
            return self._forget(packet)
        if packet.userdata == p.PUNT_BFD:
            return self._hear_next_hop(packet)
        if packet.userdata == p.PUNT_ROUTER and packet.field(p.FLAGS) & p.FROM_UPLINK[1]:
            return self._refuse_outside(packet)
        if packet.userdata == p.PUNT_ND and packet.field(p.FLAGS) & p.FROM_UPLINK[1]:
            return self._advertise_outside(packet)
        answer = self.answer(packet)
        return (answer,) if answer is not None else ()

    def send(self, outgoing: Iterable[Outgoing]) -> None:
        """Send frames of the agent's own; while the switch is away the last few wait."""
        while self._session is not None and self._waiting:
            self._session.packet_out(*self._waiting.popleft())
        for each in outgoing:
            if self._session is not None:
                self._session.packet_out(*each)
            else:
                self._waiting.append(each)

    def _resolve(self, packet: PacketIn) -> list[Outgoing]:
        """What is to be sent for the sake of an address outside."""
        if self.outside is None:
            return []
        wanted = packet.userdata == p.PUNT_WANTED
        self._metrics.punts.labels("outside", "wanted" if wanted else "heard").inc()
        return self.outside.want(packet) if wanted else self.outside.hear(packet)

    def _share(self, packet: PacketIn) -> list[Outgoing]:
        """What is to be sent for the sake of an address that several ports may have."""
        self._metrics.punts.labels("shared", "heard").inc()
        return [] if self.shared is None else self.shared.take(packet)

    def _forget(self, packet: PacketIn) -> list[Outgoing]:
        """Its sender sends again, and is translated as it must be now."""
        self._metrics.punts.labels("stale", "forgotten").inc()
        if self._session is not None:
            self._session.flush(packet.field("ct_zone"), stale.opening(packet))
        return []

    def _hear_next_hop(self, packet: PacketIn) -> list[Outgoing]:
        """What is to be said to a router's next hop at once."""
        try:
            out = self.next_hops.hear(packet) if self.next_hops else []
        except Malformed as error:
            self._metrics.punts.labels("bfd", "silent").inc()
            log.debug("not BFD", reason=str(error))
            return []
        self._metrics.punts.labels("bfd", "heard").inc()
        return out

    def _refuse_outside(self, packet: PacketIn) -> list[Outgoing]:
        """What a router says to somebody outside."""
        try:
            told = router.answer_outside(packet, self._model)
        except Malformed as error:
            self._metrics.punts.labels("router", "silent").inc()
            log.debug("nothing said outside", reason=str(error))
            return []
        self._metrics.punts.labels("router", "answered").inc()
        return [told]

    def _advertise_outside(self, packet: PacketIn) -> list[Outgoing]:
        """What this host says to somebody outside who looks for an address here."""
        try:
            told = nd.answer_outside(packet, self._model)
        except Malformed as error:
            self._metrics.punts.labels("nd", "silent").inc()
            log.debug("nothing said outside", reason=str(error))
            return []
        self._metrics.punts.labels("nd", "advertisement").inc()
        return [told]

    def answer(self, packet: PacketIn) -> Outgoing | None:
        """The frame to send back, with its port's way there, or None."""
        handle = self._kinds.get(packet.userdata)
        if handle is None:
            self._metrics.punts.labels("unknown", "ignored").inc()
            return None
        # Whose it is says its register: sub-ports share an in_port, and routing forgets it.
        number = packet.field(p.PORT_IN) or packet.in_port
        wired = self._model.wired(self._model.port_at(number))
        if wired is None:
            self._metrics.punts.labels(packet.userdata.decode(), "silent").inc()
            return None
        frame = handle(packet, wired)
        return Outgoing(frame, wired.delivery) if frame is not None else None

    def _router(self, packet: PacketIn, wired: Wired) -> bytes | None:
        try:
            told = router.answer(packet, self._model, wired)
        except Malformed as error:
            return self._be_silent("router", str(error), wired)
        return self._say("router", "answered", told, wired)

    def _dhcp(
        self, server: Callable[[bytes, Served], Answer | Silence], packet: PacketIn, wired: Wired
    ) -> bytes | None:
        kind = packet.userdata.decode()
        subnets = self._model.subnets_of(wired.port)
        served = Served(wired.port, wired.network, subnets, self._lease_s)
        match server(packet.data, served):
            case Answer(frame, said):
                return self._say(kind, said.name, frame, wired)
            case Silence(reason, notable):
                return self._be_silent(kind, reason, wired, notable)

    def _ra(self, packet: PacketIn, wired: Wired) -> bytes | None:
        try:
            asked = parse_solicitation(packet.data)
        except Malformed as error:
            return self._be_silent("ra", str(error), wired)
        said = list(ra.answers(asked, ra.link_of(self._model, wired)))
        if not said:
            return self._be_silent("ra", "no router to advertise", wired)
        # Of several routers each speaks for itself.
        self.send(Outgoing(frame, wired.delivery) for frame in said[1:])
        return self._say("ra", "advertisement", said[0], wired)

    def _nd(self, packet: PacketIn, wired: Wired) -> bytes | None:
        try:
            told = nd.finished(packet)
        except Malformed as error:
            return self._be_silent("nd", str(error), wired)
        return self._say("nd", "advertisement", told, wired)

    def _taken(self, packet: PacketIn, wired: Wired) -> bytes | None:
        try:
            self._takers[packet.userdata](packet.data, wired)
        except Malformed as error:
            return self._be_silent(packet.userdata.decode(), str(error), wired)
        return None

    def _say(self, kind: str, what: str, frame: bytes, wired: Wired) -> bytes:
        self._metrics.punts.labels(kind, what.lower()).inc()
        log.debug("answered", kind=kind, port=wired.port.id, answer=what)
        return frame

    def _be_silent(
        self, kind: str, reason: str, wired: Wired, notable: bool = False
    ) -> bytes | None:
        self._metrics.punts.labels(kind, "silent").inc()
        say = log.warning if notable else log.debug
        say("not answered", kind=kind, port=wired.port.id, reason=reason)
        return None
