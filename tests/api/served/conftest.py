"""A region of many processes: gateways, managers and a delivery, on real PostgreSQL and NATS."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from tests.fixtures.ports import free_port

from alcor.lab.layout import LabError
from alcor.lab.waiting import wait_until

ROLES = ("managers", "delivery", "gateway")
start_s_max = 180.0


class Answer(NamedTuple):
    """What a gateway answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def retry_after(self) -> str | None:
        """When to ask again."""
        return self.headers.get("retry-after")


class Region:
    """The processes of a region, each of which a test may kill."""

    def __init__(
        self,
        folder: Path,
        nats_url: str,
        postgres_url: str,
        *,
        elsewhere: str = "",
        hosts_port: int = 0,
    ) -> None:
        self._folder = folder
        self.hosts_port = hosts_port  # where a delivery serves hosts; 0: wherever it likes
        self.config = folder / "server.toml"
        self.config.write_text(
            f'[served]\nnats = "{nats_url}"\npostgres = "{postgres_url}"\n'
            f'postgres_elsewhere = "{elsewhere}"\n'
            f'[agents]\nlisten = "127.0.0.1:{hosts_port}"\n'
        )
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.port = free_port()
        self._health: dict[str, int] = {}
        self._started: dict[str, tuple[str, str, Path | None, int]] = {}

    def start(self, role: str, name: str = "", source: Path | None = None, port: int = 0) -> None:
        """Start a process of a role: of the code in `source`, if it is another's; a gateway on
        `port`, if it is to have one of its own."""
        name = name or role
        self._started[name] = role, name, source, port
        argv = [sys.executable, "-P", "-m", "alcor.cli.main", "serve", role]
        argv += ["--config", str(self.config), "--listen", f"127.0.0.1:{port or self.port}"]
        self._health[name] = port if role == "gateway" and port else free_port()
        argv += ["--health-listen", f"127.0.0.1:{self._health[name]}"]
        with (self._folder / f"{name}.log").open("ab") as log:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("ALCOR_")}
            if source is not None:
                environment["PYTHONPATH"] = str(source)
            self.processes[name] = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """End a process; its exit status."""
        process = self.processes.pop(name)
        process.send_signal(how)
        return process.wait(30)

    def log(self, name: str) -> str:
        """What a process has told."""
        return (self._folder / f"{name}.log").read_text()

    def agents_port(self, name: str) -> int:
        """Where a delivery that runs serves hosts."""
        told = [line for line in self.log(name).splitlines() if '"agents_port"' in line]
        return int(json.loads(told[-1])["agents_port"])

    def ask(self, method: str, path: str, body: object = None, port: int = 0) -> Answer:
        """One request to a gateway; `OSError` or `HTTPException` when there is no answer."""
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, json.loads(content) if content else None)
        finally:
            connection.close()

    def network(self) -> str:
        """A new network with a subnet; its id."""
        made = self.ask("POST", "/v2.0/networks", {"network": {"name": "n"}})
        assert made.status == 201
        id_ = str(made.body["network"]["id"])
        subnet = {"network_id": id_, "ip_version": 4, "cidr": "10.0.0.0/8"}
        assert self.ask("POST", "/v2.0/subnets", {"subnet": subnet}).status == 201
        return id_

    def wait_until_ready(self, name: str) -> None:
        """Wait until managers or a delivery can do their work, or take it over."""
        self._wait(f"{name} to be ready", lambda: self._answers("/readyz", self._health[name]))

    def readyz(self, name: str) -> Answer:
        """Whether managers or a delivery can do their work, and what they wait for."""
        return self.ask("GET", "/readyz", port=self._health[name])

    def start_again(self) -> None:
        """Start who has ended, as what supervises them does."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(*self._started[name])

    def wait_until_served(self) -> None:
        """Wait until a gateway answers what needs a manager; who has ended is started again."""

        def served() -> bool:
            self.start_again()
            return self._answers("/v2.0/networks", self.port)

        self._wait("the region to answer", served)

    def mend(self) -> None:
        """One process of each role and no other, answering, whatever a test has left."""
        for name in self.processes.keys() - set(ROLES):
            self.kill(name, signal.SIGTERM)
        for role in ROLES:
            if role not in self.processes:
                self.start(role)
        self.wait_until_served()

    def _answers(self, path: str, port: int) -> bool:
        try:
            return self.ask("GET", path, port=port).status == 200
        except (OSError, HTTPException):
            return False

    def _wait(self, what: str, true: Callable[[], bool]) -> None:
        try:
            wait_until(what, true, start_s_max)
        except LabError as error:
            logs = (f"{name}: {self.log(name)[-4_000:]}" for name in self.processes)
            raise AssertionError("\n".join([str(error), *logs])) from error

    def stop(self) -> None:
        """End all of them."""
        for name in list(self.processes):
            self.kill(name)


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, module_nats_server: Any, postgres: Any
) -> Iterator[Region]:
    """The module's region: databases are made once, processes come and go."""
    databases = postgres.url(f"{uuid4().hex}_{{manager}}")
    found = Region(tmp_path_factory.mktemp("region"), module_nats_server.url, databases)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture
def region(built: Region) -> Region:
    """A region with one process of each role; what earlier tests made is still in it."""
    built.mend()
    return built


@contextmanager
def running(found: Region) -> Iterator[Region]:
    try:
        found.mend()
        yield found
    finally:
        found.stop()


@pytest.fixture
def region_on_two(
    tmp_path: Path, own_nats_server: Any, postgres: Any, own_postgres: Any
) -> Iterator[Region]:
    """A region whose ports are in a database of their own server, `own_postgres`."""
    databases = postgres.url(f"{uuid4().hex}_{{manager}}")
    elsewhere = f"port={own_postgres.url('ports')}"
    with running(Region(tmp_path, own_nats_server.url, databases, elsewhere=elsewhere)) as found:
        yield found


@pytest.fixture
def region_alone(tmp_path: Path, own_nats_server: Any, own_postgres: Any) -> Iterator[Region]:
    """A region whose servers nobody else uses; hosts find its delivery at `hosts_port`."""
    databases = own_postgres.url("alcor_{manager}")
    nats_url = own_nats_server.url
    with running(Region(tmp_path, nats_url, databases, hosts_port=free_port())) as found:
        yield found
