"""A disk that is full refuses, by name, what is to be written; nothing that was taken is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from alcor.agent.desired import state
from alcor.lab import parts
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysfull"
lab_hosts = 1
timeout_s = 60.0


class Disk:
    """A small file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room, as whoever else writes there may."""
        with self._filler.open("wb") as file:
            room = os.statvfs(self.folder)
            file.write(bytes(room.f_bavail * room.f_frsize))

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink()


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Disk]:
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Plane:
    """`alcor up` as operators run it."""

    def __init__(self, data: Path, log: Path) -> None:
        with create_server(("127.0.0.1", 0)) as door:
            self._port = door.getsockname()[1]
        argv = [sys.executable, "-m", "alcor.cli.main", "up", "--data", str(data)]
        argv += ["--listen", f"127.0.0.1:{self._port}", "--agents-listen", "127.0.0.1:0"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ALCOR_")}
        with log.open("ab") as file:
            self.process = subprocess.Popen(argv, stderr=file, env=environment)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, str], Any]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
            given = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, given, json.loads(text) if text else None
        finally:
            connection.close()

    def answers(self) -> bool:
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except (OSError, HTTPException):
            return False

    def ports(self) -> set[str]:
        return {each["id"] for each in self.ask("GET", "/v2.0/ports?fields=id")[2]["ports"]}

    def end(self) -> None:
        self.process.terminate()
        assert self.process.wait(30) == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk", "24m") as disk:
        yield disk


@pytest.fixture
def start(disk: Disk, tmp_path: Path) -> Iterator[Callable[[], Plane]]:
    started: list[Plane] = []

    def begin() -> Plane:
        started.append(Plane(disk.folder, tmp_path / "log"))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


def test_a_control_plane_refuses_for_now_and_keeps_all_that_it_took(
    disk: Disk, start: Callable[[], Plane], tmp_path: Path
) -> None:
    plane = start()
    wait_until("the control plane", plane.answers, timeout_s)
    network = plane.ask("POST", "/v2.0/networks", {"network": {}})[2]["network"]["id"]
    subnet = {"network_id": network, "cidr": "10.0.0.0/16", "ip_version": 4}
    plane.ask("POST", "/v2.0/subnets", {"subnet": subnet})
    taken: list[str] = []

    def create() -> tuple[int, dict[str, str], Any]:
        many = [{"network_id": network, "description": "x" * 250}] * 50
        answer = plane.ask("POST", "/v2.0/ports", {"ports": many})
        if answer[0] == 201:
            taken.extend(each["id"] for each in answer[2]["ports"])
        return answer

    assert create()[0] == 201
    disk.fill()
    status, headers, body = create()
    while status == 201:  # what was set aside before is used up
        status, headers, body = create()

    assert (status, headers["retry-after"]) == (503, "1")
    assert "full" in body["NeutronError"]["message"]
    assert plane.ports() == set(taken)
    status, _, body = plane.ask("GET", "/readyz")  # reads go on, and yet it says so
    assert status == 503
    broken = {name for name, works in body["checks"].items() if not works}
    assert broken & {"ip.writes", "port.writes"}
    disk.empty()
    wait_until("it to find by itself that there is room", plane.answers, timeout_s)
    assert create()[0] == 201
    assert plane.ports() == set(taken)
    plane.end()

    disk.fill()
    refused = start()
    assert refused.process.wait(timeout_s) == 2
    told = (tmp_path / "log").read_text()
    assert f"error: data = {disk.folder}: " in told
    assert "no room left" in told
    assert "Traceback" not in told, told[-6000:]

    disk.empty()
    again = start()
    wait_until("the control plane", again.answers, timeout_s)
    assert again.ports() == set(taken)


def test_a_host_forwards_and_says_that_it_remembers_nothing_new(
    lab: Lab,
    make_network: Callable[..., str],
    make_machines: Callable[..., list[Machine]],
    tmp_path: Path,
) -> None:
    host = lab.host("h1")
    network = make_network("10.77.0.0/24")
    machines = make_machines(network, "a b", "h1 h1")
    log, saved = host.folder / "agent.log", host.folder / "agent" / "goal-state"
    parts.stop_agent(host)
    with mounted(host.folder / "agent", "256k") as disk:
        parts.start_agent(host, lab.record)
        wait_until("the goal state to be kept", saved.exists, timeout_s)
        disk.fill()
        told = len(log.read_text())

        machines += make_machines(network, "c", "h1")  # which is ACTIVE: its flows are there
        assert lab.ping_all({each.name: each.address(4) for each in machines}).ok == 6
        wait_until("word of it", lambda: "goal state is not saved" in log.read_text()[told:], 30)
        disk.empty()

        def remembered() -> bool:
            kept = state.read(saved)
            assert kept is not None
            keys = " ".join(entry.key for each in kept.slices for entry in each.entries)
            return all(each.port_id in keys for each in machines)

        wait_until("all three to be remembered", remembered, timeout_s)
        parts.stop_agent(host)
    parts.start_agent(host, lab.record)
