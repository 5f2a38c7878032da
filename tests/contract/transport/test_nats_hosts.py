"""What a delivery does with hosts by NATS that don't answer, or don't take what they are sent."""

import asyncio
from pathlib import Path
from typing import Any

import nats
import pytest
from tests.conftest import NatsServer
from tests.fixtures.nats_cluster import SIZE, NatsCluster, nats_cluster

from alcor.delivery.hosts import decode_host
from alcor.goal_state.reports import host_key
from alcor.goal_state.slices import host_port_key, host_slice, network_slice
from alcor.transport import nats_envelope, wire
from alcor.transport.link import Disconnected, Frame, Hello, Report
from alcor.transport.nats_envelope import Envelope, Kind
from alcor.transport.nats_server import window_frames


class RawHost:
    """A host that says only what it is told to say."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[Envelope] = []
        self._changed = asyncio.Condition()
        self._delivery = ""
        self._said = 0

    async def connect(self, url: str) -> None:
        self._client = await nats.connect(url)
        await self._client.subscribe(nats_envelope.down(self.name), cb=self._hear)
        await self.publish("hello", Kind.HELLO, 0, Hello(self.name, "test", None))
        await self.until(lambda: self.of(Kind.WELCOME))
        self._delivery = self.of(Kind.WELCOME)[0].content.decode()

    async def close(self) -> None:
        await self._client.close()

    async def say(self, message: wire.HostMessage) -> None:
        self._said += 1
        await self.publish(self._delivery, Kind.SAY, self._said, message)

    def skip(self) -> None:
        """Lose a message."""
        self._said += 1

    async def took(self, frames: int) -> None:
        await self.publish(self._delivery, Kind.TOOK, frames)

    async def publish(
        self, to: str, kind: Kind, number: int, message: wire.HostMessage | None = None
    ) -> None:
        content = wire.host_message_bytes(message) if message is not None else b""
        envelope = Envelope(kind, 7, number, content)
        await self._client.publish(nats_envelope.up(self.name, to), envelope.packed())

    def of(self, kind: Kind) -> list[Envelope]:
        return [envelope for envelope in self.heard if envelope.kind is kind]

    @property
    def frames(self) -> list[Frame]:
        return [wire.read_frame(envelope.content) for envelope in self.of(Kind.FRAME)]

    async def until(self, holds: Any) -> None:
        async with self._changed:
            await self._changed.wait_for(holds)

    async def _hear(self, message: Any) -> None:
        async with self._changed:
            self.heard.append(nats_envelope.opened(message.data))
            self._changed.notify_all()


def test_a_host_that_says_nothing_for_long_is_hung_up_on(
    play_by_nats: Any, nats_server: Any, record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alcor.transport.nats_server.silence_s_max", 0.5)
    monkeypatch.setattr("alcor.transport.nats_server.beat_every_s", 0.1)

    async def scenario(world: Any) -> None:
        await world.control.tell(record.network(), record.node("h1"), record.port(1, "h1"))
        await world.control.begin()
        host = RawHost("h1")
        await host.connect(nats_server.url)

        await host.until(lambda: host.of(Kind.END))

        assert host.of(Kind.END)[0].content == b"the host is silent"
        await host.close()

    play_by_nats(scenario)


async def filled(world: Any, record: Any, url: str) -> tuple[RawHost, int]:
    """A host whose window is full, and the number of the next port."""
    control = world.control
    await control.tell(record.network(), *(record.node(f"h{n}") for n in (1, 2)))
    await control.tell(record.port(1, "h1"))
    await control.begin()
    host = RawHost("h1")
    await host.connect(url)
    for name in (host_slice("h1"), network_slice("n1")):
        await host.say(wire.Subscribe(name, 0, 0))
    await host.until(lambda: any(network_slice("n1") in f.completes for f in host.frames))
    number = 2
    while len(host.frames) < window_frames:
        before = len(host.frames)
        await control.tell(record.port(number, "h2"))
        await host.until(lambda before=before: len(host.frames) > before)
        number += 1
    return host, number


def test_a_host_that_takes_nothing_is_sent_a_window_and_the_rest_when_it_has_taken(
    play_by_nats: Any, nats_server: Any, record: Any
) -> None:
    async def scenario(world: Any) -> None:
        control = world.control
        host, number = await filled(world, record, nats_server.url)
        for more in range(number, number + 5):
            await control.tell(record.port(more, "h2"))
        async with world.host("h2", host_slice("h2"), network_slice("n1")) as other:
            last = f"network/n1/neighbour/p{number + 4}"
            await other.until(lambda: last in other.living())
        assert len(host.frames) == window_frames
        await host.took(window_frames)

        await host.until(lambda: len(host.frames) > window_frames)
        await host.until(
            lambda: last in [item.key for frame in host.frames for item in frame.items]
        )
        assert [each.number for each in host.of(Kind.FRAME)] == [*range(1, len(host.frames) + 1)]
        await host.close()

    play_by_nats(scenario)


def test_a_host_that_takes_nothing_is_hung_up_on_when_it_connects_anew(
    play_by_nats: Any, nats_server: Any, record: Any
) -> None:
    async def scenario(world: Any) -> None:
        host, _ = await filled(world, record, nats_server.url)

        async with world.host("h1") as newer:
            await newer.until(lambda: newer.complete == {host_slice("h1")})
            await host.until(lambda: host.of(Kind.END))
        await host.close()

    play_by_nats(scenario)


def test_a_delivery_ends_while_nats_is_away(play: Any, record: Any, tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats")

    async def scenario(world: Any) -> None:
        await world.control.tell(record.node("h1"))
        await world.control.begin(nats=server.url)
        async with world.by_nats("h1", server.url, None) as host:
            await host.until(lambda: host.complete)
            server.kill()
            await host.until(lambda: host.cuts > 0)

        await world.control.delivery.stop()

    try:
        play(scenario)
    finally:
        server.kill()


def test_a_host_hears_at_once_that_no_delivery_is_there(
    play: Any, record: Any, nats_server: Any
) -> None:
    """It waited ten seconds for an answer to a hello that nobody had heard."""

    async def scenario(world: Any) -> None:
        async with world.by_nats("h1", nats_server.url, None) as host:
            await host.until(lambda: host.cuts > 0)
            (cut, *_) = (each for each in host.events if isinstance(each, Disconnected))
            assert cut.reason == "no delivery is there"

            await world.control.tell(record.node("h1"))
            await world.control.begin(nats=nats_server.url)
            await host.until(lambda: host.complete)

    play(scenario)


def test_whichever_server_of_a_cluster_ends_hosts_are_served(
    play: Any, record: Any, tmp_path: Path
) -> None:
    """The host's, the delivery's, or the third one."""

    async def scenario(world: Any, cluster: NatsCluster) -> None:
        await world.control.tell(record.network(), record.node("h1"))
        await world.control.begin(nats=cluster.url)
        async with world.by_nats("h1", cluster.url, None) as host:
            await host.until(lambda: host.complete)
            for number in range(SIZE):
                cluster.kill(number)
                await world.control.tell(record.port(number, "h1"))
                key = host_port_key("h1", record.port(number, "h1").id)
                await host.until(lambda key=key: key in host.living())
                cluster.start(number)
            assert host.cuts > 0

    with nats_cluster(tmp_path) as cluster:
        play(lambda world: scenario(world, cluster))


def test_what_a_host_says_is_heard_in_its_order(
    play_by_nats: Any, nats_server: Any, record: Any
) -> None:
    """How far it is, at once and between what has to be waited for; a gap ends the connection."""

    async def scenario(world: Any) -> None:
        await world.control.tell(record.network(), record.node("h1"), record.port(1, "h1"))
        await world.control.begin()
        host = RawHost("h1")
        await host.connect(nats_server.url)

        for name in (host_slice("h1"), network_slice("n1")):
            await host.say(Report(1, 0))
            await host.say(wire.Subscribe(name, 0, 0))
            await host.say(Report(1, 0))
        await host.until(lambda: any(network_slice("n1") in f.completes for f in host.frames))
        await host.say(Report(1, host.frames[-1].position))
        assert not host.of(Kind.END)
        host.skip()
        await host.say(Report(1, 0))
        await host.until(lambda: host.of(Kind.END))

        assert host.of(Kind.END)[0].content == b"message 8 has not come"
        told = decode_host(
            (await world.control.reports.get([host_key("h1")]))[host_key("h1")].value
        )
        assert told.position == host.frames[-1].position
        await host.close()

    play_by_nats(scenario)
