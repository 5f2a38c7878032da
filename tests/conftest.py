"""What all tests share: `--update` writes recorded outputs again; reviewers read the difference."""

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from tests.fixtures.ports import free_port
from xdist.scheduler import LoadFileScheduling

# How long an example takes says how busy the machine is, and nothing of the law.
settings.register_profile("alcor", deadline=None)
settings.load_profile("alcor")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--databases",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="where the control planes of API tests keep their databases",
    )
    parser.addoption(
        "--examples",
        type=int,
        default=6,
        help="requests that tests make up for each operation of the OpenAPI document",
    )
    parser.addoption(
        "--shape",
        choices=("embedded", "served"),
        default="embedded",
        help="what API tests run on: `alcor up`, or a region of processes on PostgreSQL and NATS",
    )
    parser.addoption(
        "--kills", type=int, default=10, help="how often the test of kills ends a process"
    )
    parser.addoption("--seed", type=int, default=1, help="of which, and when")
    parser.addoption(
        "--race-requests",
        type=int,
        default=15,
        help="requests of each of the clients that race",
    )
    parser.addoption(
        "--update", action="store_true", help="write the recorded outputs of scenarios again"
    )


def pytest_collection_finish() -> None:
    """What is imported stays: looks for garbage leave it out, and are fewer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class FileScheduling(LoadFileScheduling):  # type: ignore[misc]
    """A worker has all tests of a file, and one all that need a Keystone, as if of one file.

    Those of the simulation share nothing and take long: several workers have them.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if "/simulation/" in file:
            return nodeid
        return "identity" if "/identity/" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling | None:
    return FileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether recorded outputs are to be written again."""
    return bool(request.config.getoption("--update"))


class NatsServer:
    """A NATS server with JetStream, that can be killed and started again."""

    def __init__(self, folder: Path, *options: str | Path) -> None:
        self._options = options
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def start(self) -> None:
        """Start it, on the data that it left."""
        program = Path(sys.executable).with_name("nats-server")
        argv: list[str | Path] = [program, "-a", "127.0.0.1", "-p", str(self.port)]
        argv += ["-js", "-sd", self.folder, *self._options]
        with self.folder.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it as a power cut would end the process."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server for everybody who needs none of their own."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def module_nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server that the tests of a module may kill, if they start it again."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    yield server
    server.kill()


@pytest.fixture
def own_nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A NATS server that the test may kill."""
    server = NatsServer(tmp_path / "nats")
    yield server
    server.kill()


class PostgresServer:
    """A PostgreSQL server on a socket in its own folder, that can be killed and started again.

    Only a `durable` one syncs what it commits: tests end processes, not machines.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self.namespace = ""  # a network namespace that the next start is in
        self.address = ""  # there, which anybody may connect to
        self._durable = durable
        self._log = folder.with_suffix(".log")
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert found, "PostgreSQL is missing: run tools/setup"
        self._programs = found[-1]
        # PostgreSQL refuses to run as root: then it runs as the user that its package made.
        root = os.getuid() == 0
        self._user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"][
            : 4 * root
        ]
        if root:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        options = ["-U", "alcor", "-A", "trust", "--no-sync", "--no-locale"]
        self._run("initdb", "-D", data, *options)
        self.start()

    @property
    def pid(self) -> int:
        """The process id of the server that the others are children of."""
        return self._process.pid

    def url(self, database: str) -> str:
        """The URL of a database: it is made by whoever opens it."""
        return f"postgresql://alcor@/{database}?host={self.folder}"

    def made(self) -> str:
        """The URL of a new database, without tables."""
        name = f"t{uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode()
            )
        return self.url(name)

    def start(self) -> None:
        """Start it, on the data that it left; it answers when this returns."""
        within = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        argv: list[str | Path] = ["-D", self.folder / "data", "-c", "max_connections=900"]
        argv += ["-c", f"listen_addresses={self.address}"]
        argv += ["-c", f"unix_socket_directories={self.folder}"]
        argv += ["-c", f"fsync={'on' if self._durable else 'off'}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*within, *self._user, self._programs / "postgres", *argv],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        asks: list[str | Path] = [self._programs / "pg_isready", "-q", "-h", self.folder]
        while subprocess.run([*asks, "-U", "alcor", "-d", "postgres"], check=False).returncode:
            assert self._process.poll() is None, self._log.read_text()

    def kill(self) -> None:
        """End it at once, without a checkpoint."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def crash(self) -> None:
        """End all of its processes as a power cut would."""
        main = self._process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (main, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()
        for process in map(int, children):  # as long as they live they hold the server's memory
            with suppress(FileNotFoundError, ProcessLookupError):
                while " Z " not in Path(f"/proc/{process}/stat").read_text():
                    pass

    def _run(self, program: str, *arguments: str | Path) -> None:
        argv = [*self._user, self._programs / program, *arguments]
        with self._log.open("ab") as log:
            subprocess.run(argv, check=True, stdout=log, stderr=log, cwd="/")


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A PostgreSQL server, for as long as the context lasts."""
    # Not below pytest's folder: that is closed to the user that PostgreSQL runs as.
    with TemporaryDirectory(prefix="alcor-postgres-") as outer:
        Path(outer).chmod(0o711)
        folder = Path(outer) / "server"
        folder.mkdir()
        server = PostgresServer(folder, durable=durable)
        yield server
        server.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for everybody who needs none of their own."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the test may kill, whoever else uses the other."""
    with postgres_server() as server:
        yield server
