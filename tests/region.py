"""A whole region of processes for tests that are otherwise run on `alcor up`: `--shape served`.

Managers, two deliveries and two gateways on one address, with a NATS server of their own;
PostgreSQL is the session's. Settings are those that `alcor up` would be given.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_server
from typing import NamedTuple

import msgspec

from alcor.assembly.config import Config
from alcor.lab.layout import LabError
from alcor.lab.waiting import wait_until

start_s_max = 180.0
ROLES = ("managers", "delivery", "delivery", "gateway", "gateway")


class Served(NamedTuple):
    """Where a region is reached: HTTP, and what agents connect to (each to one of several)."""

    host: str
    port: int
    agents: str


@contextmanager
def served(config: Config, folder: Path, nats_url: str, postgres_url: str) -> Iterator[Served]:
    """A region for as long as the context lasts; who ends by itself fails the test at its end."""
    folder.mkdir(parents=True, exist_ok=True)
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
    processes: list[subprocess.Popen[bytes]] = []
    asked: dict[str, subprocess.Popen[bytes]] = {}  # by where they say that they are ready
    try:
        for number, role in enumerate(ROLES):
            health = f"127.0.0.1:{free_port()}"
            argv = [sys.executable, "-P", "-m", "alcor.cli.main", "serve", role]
            given = environment | {"ALCOR_SERVED__HEALTH_LISTEN": health}
            if role == "delivery":
                given["ALCOR_AGENTS__LISTEN"] = next(left)
            with (folder / f"{role}-{number}.log").open("ab") as log:
                process = subprocess.Popen(argv, stdout=log, stderr=log, env=given)
            processes.append(process)
            asked[api if role == "gateway" else health] = process
        for address, process in asked.items():
            _wait_until_ready(address, process, folder)
        host, _, port = api.rpartition(":")
        yield Served(host, int(port), ",".join(agents))
        assert all(process.poll() is None for process in processes), _told(folder)
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Settings as environment variables."""
    if isinstance(value, dict):
        for key, inner in value.items():
            joint = "_" if name == "ALCOR" else "__"
            yield from _flat(f"{name}{joint}{key.upper()}", inner)
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    def ready() -> bool:
        assert process.poll() is None, _told(folder)
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
