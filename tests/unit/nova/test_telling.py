"""Nova is told over HTTP: together, again when it did not take it, and not again after a crash."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from keystoneauth1.session import Session
from tests.fixtures.flaky import Flaky
from tests.fixtures.ports import free_port

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
from alcor.runtime.tasks import Tasks

SERVER = "5e7a0000-0000-4000-8000-000000000001"
wait_s_max = 60  # of a test that would hang: how busy the machine is must not matter


class Nova:
    """A server that records what it is told; it answers `statuses` first, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.calls: list[tuple[int, str, list[dict[str, str]]]] = []
        nova = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                events = json.loads(self.rfile.read(length))["events"]
                status = nova.statuses.pop(0) if nova.statuses else 200
                nova.calls.append((status, self.path, events))
                body = json.dumps({"events": [each | {"code": status} for each in events]})
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}/v2.1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def taken(self) -> list[tuple[str, str]]:
        """Names and ports of the events that it took."""
        return [(e["name"], e["tag"]) for status, _, es in self.calls if status == 200 for e in es]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def nova() -> Iterator[Nova]:
    server = Nova()
    yield server
    server.stop()


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

    async def up(self, id_: str) -> None:
        value = msgspec.msgpack.encode(PortReport(id_, "h1", PortStatus.UP))
        await self.reports.put([Change(port_key("h1", id_), value, self._next())])

    def _next(self) -> int:
        self._revision += 1
        return self._revision


async def rebuilt() -> None: ...


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
    tasks = Tasks()
    await app.recover()
    for work in app.tasks():
        tasks.start(work, "nova")
    try:
        await scene()
    finally:
        await tasks.stop()
        client.close()
        await app.database.close()


def known_up(folder: Path) -> list[str]:
    """The ports of which it is written down that Nova knows them to be up."""
    with closing(sqlite3.connect(folder / "nova.sqlite", timeout=30)) as connection:
        rows = connection.execute("SELECT port_id FROM told WHERE state = 'up'")
        return [port_id for (port_id,) in rows]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(wait_s_max):
        while not condition():  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.01)


def test_what_comes_together_is_told_together(tmp_path: Path, nova: Nova) -> None:
    world, ids = World(), [f"p{i}" for i in range(20)]

    async def scene() -> None:
        for id_ in ids:
            await world.port(id_)
            await world.up(id_)
        await until(lambda: len(nova.taken()) == 20)

    asyncio.run(tell(tmp_path, nova, world, scene))

    assert nova.taken() == [("network-vif-plugged", id_) for id_ in sorted(ids)]
    assert nova.calls[0][1] == "/v2.1/os-server-external-events"
    assert nova.calls[0][2][0] == {
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


def test_a_nova_that_is_down_is_told_when_it_is_back(tmp_path: Path) -> None:
    gone = Nova()
    gone.stop()
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
    back = Nova()

    async def again() -> None:
        await until(lambda: bool(back.taken()))

    asyncio.run(tell(tmp_path, back, world, again))
    back.stop()

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
