"""Answers packets that flows punt, on a connection of its own so that no bundle holds them up.

The queue is bounded and drops the oldest; the switch's meters bound each port. Works from the
model alone, so machines are answered while the control plane is away.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import structlog

from alcor.agent import pipeline as p
from alcor.agent.herald import Outgoing
from alcor.agent.metrics import Metrics
from alcor.agent.model import HostModel, Wired
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.punts import router
from alcor.agent.punts.dhcp4 import Answer, Served, Silence, answer
from alcor.ovs.channel import Disconnected
from alcor.ovs.connection import OpenFlow, PacketQueue
from alcor.ovs.flow import output
from alcor.ovs.openflow.packets import PacketIn

packets_pending_max = 1_000
retry_s_min, retry_s_max = 0.02, 1.0
frames_waiting_max = 1_000  # of the agent's own, for a switch that is away
packets_per_turn = 32  # answered before others get the processor

log = structlog.get_logger()


class Responder:
    """Takes packets, one by one, and sends answers back to the port that asked."""

    def __init__(self, socket: Path, model: HostModel, metrics: Metrics, lease_s: int) -> None:
        self._socket = socket
        self._model, self._metrics = model, metrics
        self._lease_s = lease_s
        self._kinds = {p.PUNT_DHCP4: self._dhcp4, p.PUNT_ROUTER: self._router}
        self._session: OpenFlow | None = None
        self._waiting: deque[Outgoing] = deque(maxlen=frames_waiting_max)

    async def run(self) -> None:
        """Connect and answer, again and again; for ever."""
        wait_s = retry_s_min
        while True:
            queue = PacketQueue(packets_pending_max)
            try:
                session = await OpenFlow.connect(self._socket, queue.put)
            except (OSError, Disconnected) as error:
                log.debug("no switch for packets", reason=str(error))
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, retry_s_max)
                continue
            wait_s = retry_s_min
            await self._serve(session, queue)

    async def _serve(self, session: OpenFlow, queue: PacketQueue) -> None:
        """Answer until the switch goes."""
        self._session = session
        self.send(())
        answering = asyncio.create_task(self._answer_all(session, queue))
        try:
            log.info("packets are no longer answered", reason=await session.closed())
        finally:
            self._session = None
            answering.cancel()
            session.close()
            await asyncio.gather(answering, return_exceptions=True)
            self._metrics.punts.labels("any", "dropped").inc(queue.dropped)

    async def _answer_all(self, session: OpenFlow, queue: PacketQueue) -> None:
        while True:
            for _ in range(packets_per_turn):
                packet = await queue.get()
                frame = self.answer(packet)
                if frame is not None:
                    port = packet.in_port or packet.field(p.PORT_IN)
                    session.packet_out(frame, (output(port),))
            await asyncio.sleep(0)

    def send(self, outgoing: Iterable[Outgoing]) -> None:
        """Send frames of the agent's own; while the switch is away the last few wait."""
        self._waiting.extend(outgoing)
        while self._session is not None and self._waiting:
            self._session.packet_out(*self._waiting.popleft())

    def answer(self, packet: PacketIn) -> bytes | None:
        """The frame to send back, or None."""
        handle = self._kinds.get(packet.userdata)
        if handle is None:
            self._metrics.punts.labels("unknown", "ignored").inc()
            return None
        return handle(packet)

    def _sender(self, packet: PacketIn) -> Wired | None:
        """The port that sent the packet, while it is complete."""
        return self._model.wired(self._model.port_by_ofport.get(packet.in_port, ""))

    def _router(self, packet: PacketIn) -> bytes | None:
        # A packet that was routed before has forgotten its in_port, but not its port.
        wired = self._model.wired(self._model.port_by_ofport.get(packet.field(p.PORT_IN), ""))
        if wired is None:
            self._metrics.punts.labels("router", "silent").inc()
            return None
        try:
            told = router.answer(packet, self._model, wired)
        except Malformed as error:
            self._metrics.punts.labels("router", "silent").inc()
            log.debug("nothing said of a packet", port=wired.port.id, reason=str(error))
            return None
        self._metrics.punts.labels("router", "answered").inc()
        return told

    def _dhcp4(self, packet: PacketIn) -> bytes | None:
        wired = self._sender(packet)
        if wired is None:
            self._metrics.punts.labels("dhcp4", "silent").inc()
            return None
        subnets = self._model.subnets_of(wired.port)
        said = answer(packet.data, Served(wired.port, wired.network, subnets, self._lease_s))
        match said:
            case Answer(frame, kind):
                self._metrics.punts.labels("dhcp4", kind.name.lower()).inc()
                log.debug("dhcp answer", port=wired.port.id, answer=kind.name)
                return frame
            case Silence(reason, notable):
                self._metrics.punts.labels("dhcp4", "silent").inc()
                say = log.warning if notable else log.debug
                say("dhcp silence", port=wired.port.id, reason=reason)
                return None
