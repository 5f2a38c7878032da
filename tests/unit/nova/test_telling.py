"""Nova is told over HTTP: together, again when it did not take it, and not again after a crash."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from keystoneauth1.session import Session
from tests.fixtures.flaky import Flaky
from tests.fixtures.nova import Nova
from tests.fixtures.telling import rebuilt, telling, until

from alcor.goal_state.reports import PortReport, PortStatus, port_key
from alcor.integrations.nova.app import NovaApp
from alcor.integrations.nova.client import NovaClient
from alcor.integrations.nova.events import Event
from alcor.integrations.nova.settings import NovaSettings
from alcor.intent import records
from alcor.intent.records import PortRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.runtime.sql.places import Place

SERVER = "5e7a0000-0000-4000-8000-000000000001"


@pytest.fixture
def nova() -> Iterator[Nova]:
    with Nova() as server:
        yield server


class World:
    """The logs that the notifier follows."""

    def __init__(self) -> None:
        self.intent, self.reports = MemoryLog(1), MemoryLog(1)
        self._revision = 0

    async def port(self, id_: str, *, gone: bool = False) -> None:
        record = PortRecord(
            id=id_, network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01",
            device_owner="compute:nova", device_id=SERVER, host="h1",
        )  # fmt: skip
        value = None if gone else records.encode(record)
        await self.intent.put([Change(records.key("port", id_), value, self._next())])

    async def up(self, id_: str, ofport: int = 0) -> None:
        value = msgspec.msgpack.encode(PortReport(id_, "h1", PortStatus.UP, ofport=ofport))
        await self.reports.put([Change(port_key("h1", id_), value, self._next())])

    def _next(self) -> int:
        self._revision += 1
        return self._revision


async def tell(
    folder: Place,
    nova: Nova,
    world: World,
    scene: Callable[[], Any],
    client_type: type[NovaClient] = NovaClient,
) -> None:
    """Run a notifier on this folder while the scene plays."""
    settings = NovaSettings(endpoint=nova.endpoint, interval_s=0.01, retry_s_max=0.05)
    client = client_type(Session(), nova.endpoint, authenticated=False)
    app = NovaApp(folder, world.intent, world.reports, rebuilt, client, settings)
    async with telling(app, client):
        await scene()


def known_up(folder: Path) -> list[str]:
    """The ports of which it is written down that Nova knows them to be up."""
    with closing(sqlite3.connect(folder / "nova.sqlite", timeout=30)) as connection:
        rows = connection.execute("SELECT port_id FROM told WHERE state = 'up'")
        return [port_id for (port_id,) in rows]


def test_what_comes_together_is_told_together(tmp_path: Path, nova: Nova) -> None:
    world, ids = World(), [f"p{i}" for i in range(20)]

    async def scene() -> None:
        for id_ in ids:
            await world.port(id_)
            await world.up(id_)
        await until(lambda: len(nova.taken()) == 20)

    asyncio.run(tell(tmp_path, nova, world, scene))

    assert nova.taken() == [("network-vif-plugged", id_) for id_ in sorted(ids)]
    assert nova.calls[0] == "POST /v2.1/os-server-external-events"
    assert nova.events[0] == {
        "name": "network-vif-plugged", "server_uuid": SERVER, "tag": "p0", "status": "completed",
    }  # fmt: skip
    assert len(nova.calls) < 10


@pytest.mark.parametrize("status", [500, 503, 401, 429])
def test_what_nova_did_not_take_is_told_again(tmp_path: Path, nova: Nova, status: int) -> None:
    world = World()
    nova.statuses = [status] * 3

    async def scene() -> None:
        await world.port("p")
        await world.up("p")
        await until(lambda: bool(nova.taken()))

    asyncio.run(tell(tmp_path, nova, world, scene))

    assert nova.taken() == [("network-vif-plugged", "p")]
    assert len(nova.calls) == 4


@pytest.mark.parametrize("status", [404, 400, 207])
def test_what_nova_will_never_take_holds_nothing_up(
    tmp_path: Path, nova: Nova, status: int
) -> None:
    world = World()
    nova.statuses = [status]

    async def scene() -> None:
        await world.port("p")
        await world.up("p")
        await until(lambda: len(nova.calls) == 1)
        await world.port("q")
        await world.up("q")
        await until(lambda: len(nova.calls) == 2)

    asyncio.run(tell(tmp_path, nova, world, scene))

    assert nova.taken() == [("network-vif-plugged", "q")]


def test_after_a_crash_only_what_nova_does_not_know_is_told(tmp_path: Path, nova: Nova) -> None:
    world = World()

    async def before() -> None:
        await world.port("p")
        await world.port("q")
        await world.up("p")
        await until(lambda: known_up(tmp_path) == ["p"])

    async def after() -> None:
        await world.port("p", gone=True)
        await world.up("q")
        await until(lambda: len(nova.taken()) == 3)

    asyncio.run(tell(tmp_path, nova, world, before))
    asyncio.run(tell(tmp_path, nova, world, after))

    assert nova.taken()[0] == ("network-vif-plugged", "p")
    assert sorted(nova.taken()[1:]) == [("network-vif-deleted", "p"), ("network-vif-plugged", "q")]


def test_what_was_plugged_in_anew_during_a_crash_is_told_again(tmp_path: Path, nova: Nova) -> None:
    world = World()

    async def before() -> None:
        await world.port("p")
        await world.up("p", ofport=5)
        await until(lambda: known_up(tmp_path) == ["p"])

    async def after() -> None:
        await world.up("p", ofport=6)
        await until(lambda: len(nova.taken()) == 2)

    asyncio.run(tell(tmp_path, nova, world, before))
    asyncio.run(tell(tmp_path, nova, world, after))

    assert nova.taken() == [("network-vif-plugged", "p")] * 2


def test_a_nova_that_is_down_is_told_when_it_is_back(tmp_path: Path) -> None:
    with Nova() as gone:
        pass
    world = World()
    tries: list[Sequence[Event]] = []

    class Trying(NovaClient):
        async def send(self, events: Sequence[Event]) -> None:
            tries.append(events)
            await super().send(events)

    async def scene() -> None:
        await world.port("p")
        await world.up("p")
        await until(lambda: len(tries) > 3)  # three have failed

    asyncio.run(tell(tmp_path, gone, world, scene, Trying))

    async def again() -> None:
        await until(lambda: bool(back.taken()))

    with Nova() as back:
        asyncio.run(tell(tmp_path, back, world, again))

    assert back.taken() == [("network-vif-plugged", "p")]


def test_who_could_not_note_what_nova_was_told_tells_it_again(tmp_path: Path, nova: Nova) -> None:
    world = World()

    async def scene() -> None:
        await world.port("p")
        await world.up("p")
        await until(lambda: len(nova.taken()) == 2)
        await until(lambda: known_up(tmp_path) == ["p"])

    asyncio.run(tell(Flaky(tmp_path, 1), nova, world, scene))

    assert nova.taken() == [("network-vif-plugged", "p")] * 2
