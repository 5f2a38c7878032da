"""Killed at any moment, fifty times over: nothing doubled, nothing leaked, no promise broken.

One folder through all lives. Clients post bulks and singles, change and delete, until a SIGKILL at
a seeded moment; after each restart the databases must agree with each other and with what the
clients were told. What is killed is `alcor up` whole but for its imports, which a nursery process
does once for all lives.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from alcor.lab.waiting import wait_until

gone_s_max = 30.0
answer_s_max = 60.0
lives = 50
bulk_max = 40
answers_before_kill_max = 25
delay_s_max = 0.03  # between the last answer waited for and the kill: anywhere within a batch

NURSERY = """
import ctypes, os, signal, sys
import msgspec
from alcor.assembly.config import Config
from alcor.assembly.embedded import serve

def started(running):
    print(os.getpid(), *running.api, flush=True)

def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

die_with_parent()
config = msgspec.json.decode(sys.argv[1], type=Config)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        die_with_parent()
        serve(config, started)
        os._exit(0)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


class Nursery:
    """Starts control planes on one folder, one at a time."""

    def __init__(self, folder: Path, log: Path) -> None:
        config = {
            "data": str(folder),
            "listen": "127.0.0.1:0",
            "agents": {"listen": "127.0.0.1:0"},
            "ip": {"sweep_interval_s": 3600.0},
            "port": {"settle_interval_s": 3600.0},
        }
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, msgspec.json.encode(config).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def _line(self) -> list[str]:
        """The next line that is none of the process's log."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.startswith("{"):
                return line.split()
        raise AssertionError(f"the control plane did not start: {Path(self._log.name).read_text()}")

    def start(self) -> tuple[int, str]:
        """A control plane that answers: its process id, its address."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        pid, host, port = self._line()
        return int(pid), f"{host}:{port}"

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert self._line() == ["gone"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                pipe.close()


class Promises:
    """What clients were told, and what they asked for without hearing an answer."""

    def __init__(self) -> None:
        self.port_by_id: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.doubtful: set[str] = set()  # asked to be changed or deleted, no answer heard
        self._answers = 0
        self._enough = asyncio.Event()

    def answered(self) -> None:
        """Another answer was heard."""
        self._answers -= 1
        if self._answers <= 0:
            self._enough.set()

    async def hear(self, answers: int) -> None:
        """Wait until so many answers more were heard."""
        self._answers = answers
        self._enough = asyncio.Event()  # of the loop that runs now
        await self._enough.wait()


class Place(NamedTuple):
    """Where the ports are."""

    network: str
    subnets: list[str]


class Client:
    """Writes until the connection dies."""

    def __init__(
        self,
        address: str,
        promises: Promises,
        chance: random.Random,
        place: Place,
    ) -> None:
        self._connection = HTTPConnection(address, timeout=answer_s_max)
        self._promises = promises
        self._chance = chance
        self._network = place.network
        self._subnets = place.subnets

    async def run(self) -> None:
        deeds = [self._bulk, self._single, self._single, self._delete, self._readdress]
        try:
            while True:
                await self._chance.choice(deeds)()
                self._promises.answered()
        except (OSError, HTTPException):
            return  # killed
        finally:
            self._connection.close()

    async def _call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        path = f"/v2.0/ports{path}"
        return await asyncio.to_thread(ask, self._connection, method, path, body)

    async def _bulk(self) -> None:
        items = [{"network_id": self._network}] * self._chance.randint(2, bulk_max)
        status, body = await self._call("POST", "", {"ports": items})
        assert status == 201, body
        assert len(body["ports"]) == len(items)
        self._promises.port_by_id |= {port["id"]: port for port in body["ports"]}

    async def _single(self) -> None:
        status, body = await self._call("POST", "", {"port": {"network_id": self._network}})
        assert status == 201, body
        self._promises.port_by_id[body["port"]["id"]] = body["port"]

    def _some(self) -> str | None:
        """The id of a port that nobody else is about to touch."""
        ids = list(self._promises.port_by_id)[-200:]
        if not ids:
            return None
        id_ = self._chance.choice(ids)
        self._promises.doubtful.add(id_)
        del self._promises.port_by_id[id_]
        return id_

    async def _delete(self) -> None:
        if id_ := self._some():
            status, body = await self._call("DELETE", f"/{id_}")
            assert status == 204, body
            self._promises.deleted.add(id_)
            self._promises.doubtful.discard(id_)

    async def _readdress(self) -> None:
        if id_ := self._some():
            wishes = self._chance.choice([[], [{"subnet_id": s} for s in self._subnets]])
            status, body = await self._call("PUT", f"/{id_}", {"port": {"fixed_ips": wishes}})
            assert status == 200, body
            self._promises.doubtful.discard(id_)
            self._promises.port_by_id[id_] = body["port"]


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def check(folder: Path, promises: Promises) -> None:
    """The databases agree with each other, and with the promises."""
    leased = rows(folder / "ip.sqlite", "SELECT owner, subnet_id, address FROM lease")
    ports = [
        msgspec.json.decode(doc) for (doc,) in rows(folder / "port.sqlite", "SELECT doc FROM port")
    ]
    held = [
        (port["id"], ip["subnet_id"], ip["ip_address"])
        for port in ports
        for ip in port["fixed_ips"]
    ]
    assert sorted(leased) == sorted(held), "leaked or lost"
    assert len({(subnet, address) for _, subnet, address in held}) == len(held)
    assert len({(port["network_id"], port["mac_address"]) for port in ports}) == len(ports)
    port_by_id = {port["id"]: port for port in ports}
    missing = [id_ for id_, port in promises.port_by_id.items() if port_by_id.get(id_) != port]
    assert not missing, "a write that was answered is not there"
    assert not promises.deleted & port_by_id.keys(), "a port that was deleted is there"
    (used,) = rows(folder / "port.sqlite", "SELECT sum(count) FROM used")
    assert (used[0] or 0) == len(ports)


def ask(connection: HTTPConnection, method: str, path: str, body: object) -> tuple[int, Any]:
    content = None if body is None else msgspec.json.encode(body)
    connection.request(method, path, content, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    return answer.status, msgspec.json.decode(told) if told else None


def make_place(address: str) -> Place:
    """A network of both families, large enough for all lives."""
    with closing(HTTPConnection(address, timeout=answer_s_max)) as connection:

        def make(name: str, **fields: Any) -> str:
            status, body = ask(connection, "POST", f"/v2.0/{name}s", {name: fields})
            assert status == 201, body
            return str(body[name]["id"])

        id_ = make("network")
        families = (("10.0.0.0/16", 4), ("fd00::/64", 6))
        subnets = [make("subnet", network_id=id_, cidr=c, ip_version=v) for c, v in families]
    return Place(id_, subnets)


async def live(
    nursery: Nursery, pid: int, address: str, place: Place, promises: Promises, seed: int
) -> None:
    """Write with several clients until the kill."""
    chance = random.Random(seed)
    async with asyncio.TaskGroup() as tasks:
        for number in range(6):
            client = Client(address, promises, random.Random(f"{seed} {number}"), place)
            tasks.create_task(client.run())
        await promises.hear(chance.randint(1, answers_before_kill_max))
        # Not a wait for anything: the moment of the kill is a time.
        await asyncio.sleep(chance.random() * delay_s_max)
        nursery.kill(pid)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_no_control_plane_outlives_its_nursery(tmp_path: Path) -> None:
    """Whatever ends this test, as a timeout does, leaves none behind."""
    nursery = Nursery(tmp_path / "data", tmp_path / "stderr.log")
    try:
        pid, _ = nursery.start()
    finally:
        nursery.close()

    wait_until("the control plane to be gone", lambda: not is_running(pid), gone_s_max)


def test_kill_at_any_moment_breaks_no_promise(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    nursery = Nursery(folder, tmp_path / "stderr.log")
    promises = Promises()
    try:
        pid, address = nursery.start()
        place = make_place(address)
        for seed in range(lives):
            asyncio.run(live(nursery, pid, address, place, promises, seed))
            pid, address = nursery.start()
            check(folder, promises)
        nursery.kill(pid)
    finally:
        nursery.close()
    assert len(promises.port_by_id) > lives
