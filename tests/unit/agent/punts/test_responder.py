"""Packets are answered one by one, whatever becomes of another."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.responder import Responder, packets_pending_max
from alcor.ovs.connection import OpenFlow
from alcor.ovs.openflow.packets import PacketIn


class Session:
    """A switch that hands over packets, and notes what is sent."""

    def __init__(self, *frames: bytes) -> None:
        self.frames, self.sent = frames, asyncio.Queue[bytes]()

    async def connect(self, socket: Path, put: Callable[[PacketIn], None]) -> "Session":
        for frame in self.frames:
            put(PacketIn(frame, p.SEEK, 0, 1, {}, p.PUNT_SEEK))
        return self

    def packet_out(self, frame: bytes, *how: object) -> None:
        self.sent.put_nowait(frame)

    async def closed(self) -> str:
        await asyncio.Event().wait()
        return ""

    def close(self) -> None:
        pass


class Seeker:
    """Who fails at one packet."""

    def want(self, packet: PacketIn) -> list[Outgoing]:
        if packet.data == b"odd":
            raise ValueError("a fault of ours")
        return [Outgoing(packet.data, ())]


def test_a_packet_that_meets_a_fault_of_ours_is_lost_told_once_and_the_next_one_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        session, metrics = Session(b"odd", b"odd", b"even"), Metrics()
        monkeypatch.setattr(OpenFlow, "connect", session.connect)
        responder = Responder(Path("none"), HostModel(), metrics, 3600)
        responder.seeker = Seeker()  # type: ignore[assignment]
        with capture_logs() as logs:
            running = asyncio.create_task(responder.run())
            async with asyncio.timeout(5):
                assert await session.sent.get() == b"even"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        labels = {"kind": "seek", "result": "failed"}
        assert metrics.registry.get_sample_value("alcor_agent_punts_total", labels) == 2
        assert [each["event"] for each in logs] == ["packet not answered"]

    asyncio.run(main())


def test_packets_without_room_are_counted_while_the_switch_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        session, metrics = Session(*[b"even"] * (packets_pending_max + 5)), Metrics()
        monkeypatch.setattr(OpenFlow, "connect", session.connect)
        responder = Responder(Path("none"), HostModel(), metrics, 3600)
        responder.seeker = Seeker()  # type: ignore[assignment]
        running = asyncio.create_task(responder.run())
        async with asyncio.timeout(5):
            await session.sent.get()
        labels = {"kind": "any", "result": "dropped"}
        assert metrics.registry.get_sample_value("alcor_agent_punts_total", labels) == 5
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())
