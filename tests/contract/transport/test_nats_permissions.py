"""Over NATS a host reads what is its own and speaks as itself, whoever holds its key."""

import asyncio
from collections.abc import Iterator
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from tests.fixtures.nats_account import GuardedNats

from alcor.goal_state.reports import PortStatus, host_key, port_key
from alcor.transport import wire
from alcor.transport.link import Hello, PortState, Report
from alcor.transport.nats_envelope import Envelope, Kind

OWN, NET = "host/h1/", "network/n1/"
delivery = "1"  # the epoch of the world's


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedNats]:
    server = GuardedNats(tmp_path_factory.mktemp("guarded"))
    yield server
    server.stop()


async def begin(world: Any, record: Any, guarded: GuardedNats) -> None:
    """h1 and h2, each with a port on a network of its own."""
    await world.control.tell(record.network("n1"), record.network("n2"))
    await world.control.tell(record.node("h1"), record.node("h2"))
    await world.control.tell(record.port(1, "h1", "n1"), record.port(2, "h2", "n2"))
    await world.control.begin(nats=guarded.url, nats_credentials=str(guarded.delivery()))


class Thief:
    """Whoever has a host's key and speaks NATS."""

    def __init__(self, client: Client, problems: "asyncio.Queue[str]") -> None:
        self.client = client
        self._problems = problems
        self.heard: list[bytes] = []

    async def listen(self, subject: str) -> str:
        """Subscribe; what NATS says to that."""

        async def hear(message: Any) -> None:
            self.heard.append(message.data)

        await self.client.subscribe(subject, cb=hear)
        return await self._problems.get()

    async def say(self, subject: str, envelope: Envelope) -> str:
        """Publish; what NATS says to that."""
        await self.client.publish(subject, envelope.packed())
        return await self._problems.get()


async def thief_of(guarded: GuardedNats, name: str) -> Thief:
    problems: asyncio.Queue[str] = asyncio.Queue()

    async def told(problem: Exception) -> None:
        problems.put_nowait(str(problem))

    credentials = str(guarded.host(name))
    client = await nats.connect(guarded.url, user_credentials=credentials, error_cb=told)
    return Thief(client, problems)


def test_a_host_is_served_with_its_own_key(play: Any, record: Any, guarded: GuardedNats) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, guarded)
        h1 = guarded.host("h1")

        async with world.by_nats("h1", guarded.url, h1, OWN, NET) as host:
            await host.until(lambda: host.complete == {OWN, NET})
            assert host.living() == world.control.goal(OWN, NET)

    play(scenario)


def test_nobody_is_let_in_without_a_key(play: Any, record: Any, guarded: GuardedNats) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, guarded)

        async with world.by_nats("h1", guarded.url, None) as host:
            await host.until(lambda: host.cuts > 0)
        assert not host.frames

    play(scenario)


def test_a_stolen_key_opens_nothing_of_another_host(
    play: Any, record: Any, guarded: GuardedNats
) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, guarded)
        thief = await thief_of(guarded, "h1")

        for subject in ("alcor.down.h2", "alcor.down.*", "alcor.up.>", "alcor.>", ">", "_INBOX.>"):
            assert "permissions violation" in (await thief.listen(subject)).lower(), subject
        async with world.by_nats("h2", guarded.url, guarded.host("h2"), "host/h2/") as h2:
            await h2.until(lambda: h2.complete == {"host/h2/"})
            await world.control.tell(record.port(3, "h2", "n2"))
            await h2.until(lambda: "host/h2/port/p3" in h2.living())
        await thief.client.flush()
        await thief.client.close()

        assert thief.heard == []

    play(scenario)


def test_a_stolen_key_speaks_for_no_other_host(
    play: Any, record: Any, guarded: GuardedNats
) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, guarded)
        thief = await thief_of(guarded, "h1")
        up = wire.host_message_bytes(Report(1, 1, [PortState("p2", PortStatus.UP)]))
        hello = wire.host_message_bytes(Hello("h2", "", None))

        for subject, envelope in (
            ("alcor.up.h2.hello", Envelope(Kind.HELLO, 5, 0, hello)),
            (f"alcor.up.h2.{delivery}", Envelope(Kind.SAY, 5, 1, up)),
            ("alcor.down.h2", Envelope(Kind.END, 5, 0)),
            (f"alcor.beat.{delivery}", Envelope(Kind.BEAT, 0, 0)),
        ):
            said = await thief.say(subject, envelope)
            assert "permissions violation" in said.lower(), subject
        async with world.by_nats("h2", guarded.url, guarded.host("h1"), "host/h2/") as host:
            await host.until(lambda: host.cuts > 0)
        await thief.client.close()

        assert not host.frames
        told = await world.control.reports.get([host_key("h2"), port_key("h2", "p2")])
        assert not told

    play(scenario)


def test_a_host_that_says_to_be_another_on_its_own_subject_is_hung_up_on(
    play: Any, record: Any, guarded: GuardedNats
) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, guarded)
        thief = await thief_of(guarded, "h1")
        ended: asyncio.Queue[bytes] = asyncio.Queue()

        async def hear(message: Any) -> None:
            ended.put_nowait(message.data)

        await thief.client.subscribe("alcor.down.h1", cb=hear)
        hello = wire.host_message_bytes(Hello("h2", "", None))
        await thief.client.publish("alcor.up.h1.hello", Envelope(Kind.HELLO, 5, 0, hello).packed())
        answer = await ended.get()
        await thief.client.close()

        assert answer.startswith(Envelope(Kind.END, 5, 0).packed())
        assert not await world.control.reports.get([host_key("h1"), host_key("h2")])

    play(scenario)
