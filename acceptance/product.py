"""The product as an operator runs it, with Keystone: `alcor up`, or a region of processes."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from acceptance.keystone import Keystone
from acceptance.processes import Server, free_port

SHAPES = ("embedded", "served")


class Product(NamedTuple):
    """Where its API is, without a version, and where agents connect."""

    endpoint: str
    agents: str


@contextmanager
def product(
    folder: Path, keystone: Keystone, shape: str = "embedded", more: Mapping[str, str] | None = None
) -> Iterator[Product]:
    """A control plane with fresh databases in `folder`, for as long as the context lasts.

    `more`: settings, by the names of their environment variables.
    """
    folder.mkdir(parents=True, exist_ok=True)
    password = folder / "password"
    password.touch(0o600)
    password.write_text(keystone.service.password)
    settings = {
        "AUTH": "keystone",
        "KEYSTONE__AUTH_URL": keystone.url,
        "KEYSTONE__PASSWORD_FILE": str(password),
    }
    # Classes of tests that make more than ten routers in one project are meant to pass.
    settings |= {f"QUOTA__{kind}": "-1" for kind in ("ROUTER", "FLOATINGIP")}
    env = {f"ALCOR_{name}": value for name, value in settings.items()} | dict(more or {})
    with (_region if shape == "served" else _up)(folder, env) as found:
        yield found


@contextmanager
def _up(folder: Path, settings: Mapping[str, str]) -> Iterator[Product]:
    port, agents = free_port(), f"127.0.0.1:{free_port()}"
    where = {"DATA": str(folder), "LISTEN": f"127.0.0.1:{port}", "AGENTS__LISTEN": agents}
    env = dict(settings) | {f"ALCOR_{name}": value for name, value in where.items()}
    argv = [sys.executable, "-m", "alcor.cli.main", "up"]
    with Server(argv, f"http://127.0.0.1:{port}/readyz", folder / "up.log", env):
        yield Product(f"http://127.0.0.1:{port}", agents)


@contextmanager
def _region(folder: Path, settings: Mapping[str, str]) -> Iterator[Product]:
    """Managers, two deliveries and two gateways, on servers of their own."""
    # What only this shape needs: the servers that tests have.
    from tests.conftest import NatsServer, postgres_server
    from tests.fixtures.region import served

    from alcor.assembly.config import Config
    from alcor.runtime.config import load

    with ExitStack() as stack:
        nats = NatsServer(folder / "nats")
        stack.callback(nats.kill)
        postgres = stack.enter_context(postgres_server())
        databases = postgres.url("alcor_{manager}")
        config = load(Config, None, settings)
        region = stack.enter_context(served(config, folder, nats.url, databases))
        yield Product(f"http://{region.host}:{region.port}", region.agents)
