"""A region is upgraded, and taken back, process by process under load: no request fails.

The newer code is a copy of this code with one migration more in every manager, so that both run on
the newer schema side by side.
"""

import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.api.served.conftest import Answer, Region
from tests.fixtures.ports import free_port

import alcor
from alcor.runtime.sql.migrations import head

clients = 4
answers_s_max = 180.0  # for some of their requests
EXPAND = """
WIDER = "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS expanded TEXT NOT NULL DEFAULT 'new'"
def upgrade(database):
    database.execute(WIDER)
    database.execute("CREATE TABLE expanded (id TEXT PRIMARY KEY)")
"""
INDEX = """
INDEXES = ("CREATE INDEX IF NOT EXISTS {table}_expanded ON {table} (expanded)",)
def upgrade(database):
    for statement in INDEXES:
        database.execute(statement)
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The code of the next release: every manager has two migrations more."""
    source = tmp_path / "newer"
    package = Path(alcor.__file__ or alcor.__path__[0])
    package = package.parent if package.is_file() else package
    shutil.copytree(package, source / "alcor", ignore=shutil.ignore_patterns("__pycache__"))
    folders = sorted((source / "alcor" / "managers").glob("*/versions"))
    assert len(folders) > 15
    for folder in folders:
        first = "".join(path.read_text() for path in folder.glob("v0001_*.py"))
        found = re.search(r"CREATE TABLE (\w+) ", first)
        assert found, folder
        last = int(head(folder))
        for number, (template, what) in enumerate(((EXPAND, "expand"), (INDEX, "index")), last + 1):
            text = template.format(table=found[1])
            (folder / f"v{number:04}_{what}.py").write_text(text)
    return source


class Load:
    """Clients that write and read all the time, by what stands before the gateways."""

    def __init__(self, region: Region, network_id: str) -> None:
        self._region = region
        self._network_id = network_id
        self.gateways = [region.port]  # that requests are sent to
        self.living: set[str] = set()
        self.failed: list[object] = []
        self.answered = 0
        self.later = 0  # were told to come again, and came
        self._stopped = Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [Thread(target=self._work, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def more(self) -> None:
        """Wait until much has been answered after now, whatever has come of it."""
        wanted, end = self.answered + 20 * clients, time.monotonic() + answers_s_max
        while self.answered < wanted and not self.failed and time.monotonic() < end:
            self._stopped.wait(0.05)
        assert not self.failed, self.failed
        assert self.answered >= wanted, self.later

    def _work(self, n: int) -> None:
        try:
            while not self._stopped.is_set():
                self._once(n)
        except (OSError, AssertionError) as problem:
            self.failed.append(problem)

    def _once(self, n: int) -> None:
        made = self._ask(201, "POST", "/v2.0/ports", {"port": {"network_id": self._network_id}})
        id_ = made.body["port"]["id"]
        self.living.add(id_)
        path = f"/v2.0/ports/{id_}"
        assert self._ask(200, "PUT", path, {"port": {"name": f"p{n}"}}).body["port"]["id"] == id_
        assert self._ask(200, "GET", path).body["port"]["name"] == f"p{n}"
        self._ask(200, "GET", "/v2.0/subnets")
        if n % 2:
            self._ask(204, "DELETE", path)
            self.living.remove(id_)

    def _ask(self, wanted: int, method: str, path: str, body: object = None) -> Answer:
        end = time.monotonic() + answers_s_max
        while time.monotonic() < end:
            port = self.gateways[self.answered % len(self.gateways)]
            answer = self._region.ask(method, path, body, port)
            if answer.status != 503:
                assert answer.status == wanted, (method, path, answer)
                self.answered += 1
                return answer
            assert answer.retry_after, answer
            self.later += 1
        raise AssertionError(f"{method} {path} was put off for too long")


def replace(region: Region, load: Load, now: str, next_: str, source: Path | None) -> None:
    """Another code's processes for those that run, one after the other."""
    region.start(
        "managers", f"managers-{next_}", source
    )  # which brings the databases to its schema
    region.wait_until_ready(f"managers-{next_}")
    load.more()  # the old ones do the work on the newer schema
    assert region.kill(f"managers{now}", signal.SIGTERM) == 0
    load.more()

    port = free_port()
    region.start("gateway", f"gateway-{next_}", source, port)
    region.wait_until_ready(f"gateway-{next_}")
    load.gateways = [*load.gateways, port]
    load.more()  # both do
    load.gateways = [port]
    load.more()
    assert region.kill(f"gateway{now}", signal.SIGTERM) == 0

    assert region.kill(f"delivery{now}", signal.SIGTERM) == 0  # it has the address of the agents
    region.start("delivery", f"delivery-{next_}", source)
    region.wait_until_ready(f"delivery-{next_}")
    load.more()


@pytest.mark.timeout(600)
def test_no_request_fails_while_a_region_is_upgraded_and_taken_back(
    region: Region, newer: Path, tmp_path: Path
) -> None:
    made = region.ask("POST", "/v2.0/networks", {"network": {"name": "n"}})
    network_id = made.body["network"]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.0.0.0/16"}
    assert region.ask("POST", "/v2.0/subnets", {"subnet": subnet}).status == 201
    load = Load(region, network_id)

    with load.running():
        load.more()
        replace(region, load, "", "newer", newer)
        replace(region, load, "-newer", "older", None)  # on the newer schema, from the start

    assert not load.failed
    listed = region.ask("GET", f"/v2.0/ports?network_id={network_id}", port=load.gateways[0])
    held = [port["id"] for port in listed.body["ports"]]
    assert sorted(held) == sorted(load.living)  # nothing is lost, and nothing was done twice
    converged = f"/alcor/v1/convergence?revision=port:{len(held)}"
    assert region.ask("GET", converged, port=load.gateways[0]).body["converged"]
