"""A whole region of processes for tests that are otherwise run on `alcor up`: `--shape served`.

Managers, two deliveries and two gateways on one address, with a NATS server of their own;
PostgreSQL is the session's. Settings are those that `alcor up` would be given.

What takes most of a start is done once for all: a region's databases are copies of others, which
the server's first region has made, and its processes are forked from one that has loaded the code.
How roles start by themselves is asked in `tests/api/served`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import psycopg
from psycopg import sql
from tests.ports import free_port

import alcor
from alcor.assembly.config import Config
from alcor.cli.serve import Role, serve
from alcor.lab.layout import LabError
from alcor.lab.waiting import wait_until
from alcor.runtime.sql.online_migrations import migrate_server

start_s_max = 180.0
ROLES = ("managers", "delivery", "delivery", "gateway", "gateway")
_forks = get_context("forkserver")
_forks.set_forkserver_preload(
    ["alcor.assembly.roles", "alcor.delivery.app", "alcor.runtime.sql.postgres", __name__]
)


class Served(NamedTuple):
    """Where a region is reached: HTTP, and what agents connect to (each to one of several)."""

    host: str
    port: int
    agents: str


@contextmanager
def served(config: Config, folder: Path, nats_url: str, postgres_url: str) -> Iterator[Served]:
    """A region for as long as the context lasts; who ends by itself fails the test at its end."""
    folder.mkdir(parents=True, exist_ok=True)
    _make_databases(postgres_url)
    api = f"127.0.0.1:{free_port()}"
    agents = [f"127.0.0.1:{free_port()}" for role in ROLES if role == "delivery"]
    left = iter(agents)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ALCOR_")}
    environment |= dict(_flat("ALCOR", msgspec.to_builtins(config)))
    environment |= {
        "ALCOR_LISTEN": api,
        "ALCOR_SERVED__NATS": nats_url,
        "ALCOR_SERVED__POSTGRES": postgres_url,
    }
    processes: list[ForkServerProcess] = []
    asked: dict[str, ForkServerProcess] = {}  # by where they say that they are ready
    try:
        for number, role in enumerate(ROLES):
            health = f"127.0.0.1:{free_port()}"
            given = environment | {"ALCOR_SERVED__HEALTH_LISTEN": health}
            if role == "delivery":
                given["ALCOR_AGENTS__LISTEN"] = next(left)
            log = folder / f"{role}-{number}.log"
            process = _forks.Process(target=_run, args=(role, given, log), daemon=True)
            process.start()
            processes.append(process)
            asked[api if role == "gateway" else health] = process
        for address, process in asked.items():
            _wait_until_ready(address, process, folder)
        host, _, port = api.rpartition(":")
        yield Served(host, int(port), ",".join(agents))
        assert all(process.is_alive() for process in processes), _told(folder)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _run(role: str, environment: dict[str, str], log: Path) -> None:
    """A role, in a process of its own."""
    with log.open("ab") as told:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    serve(Role(role))


def _make_databases(postgres_url: str) -> None:
    """Those that are not there yet, of all managers."""
    by_name = {each.parent.name: each for each in Path(alcor.__path__[0]).glob("*/*/versions")}
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    # Not what the tests' server speaks by itself: that gives bytes.
    options = {"dbname": "postgres", "client_encoding": "UTF8", "autocommit": True}
    with psycopg.connect(postgres_url, **options) as connection:
        held = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for manager, versions in by_name.items():
            url = urlsplit(postgres_url.replace("{manager}", manager))
            name, pattern = url.path[1:], f"pattern_{manager}"
            if pattern not in held:
                migrate_server(url._replace(path=f"/{pattern}").geturl(), versions)
            if name not in held:
                connection.execute(copy.format(sql.Identifier(name), sql.Identifier(pattern)))


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Settings as environment variables."""
    if isinstance(value, dict):
        for key, inner in value.items():
            joint = "_" if name == "ALCOR" else "__"
            yield from _flat(f"{name}{joint}{key.upper()}", inner)
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _wait_until_ready(address: str, process: ForkServerProcess, folder: Path) -> None:
    def ready() -> bool:
        assert process.is_alive(), _told(folder)
        connection = HTTPConnection(address, timeout=30)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    try:
        wait_until(f"{address} to be ready", ready, start_s_max)
    except LabError as error:
        raise AssertionError(f"{error}\n{_told(folder)}") from error


def _told(folder: Path) -> str:
    """The last that each process of a region told."""
    return "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in folder.glob("*.log"))
