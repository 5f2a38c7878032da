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

    `more`: settings of `alcor up`, by the names of their environment variables.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if shape == "served":
        with _region(folder, keystone) as found:
            yield found
    else:
        with _up(folder, keystone, more or {}) as found:
            yield found


@contextmanager
def _up(folder: Path, keystone: Keystone, more: Mapping[str, str]) -> Iterator[Product]:
    port, agents = free_port(), f"127.0.0.1:{free_port()}"
    settings = {
        "AUTH": "keystone",
        "KEYSTONE__AUTH_URL": keystone.url,
        "KEYSTONE_PASSWORD": keystone.service.password,
        "DATA": str(folder),
        "LISTEN": f"127.0.0.1:{port}",
        "AGENTS__LISTEN": agents,
    }
    # Classes of tests that make more than ten routers in one project are meant to pass.
    settings |= {f"QUOTA__{kind}": "-1" for kind in ("ROUTER", "FLOATINGIP")}
    env = {f"ALCOR_{name}": value for name, value in settings.items()} | dict(more)
    argv = [sys.executable, "-m", "alcor.cli.main", "up"]
    with Server(argv, f"http://127.0.0.1:{port}/readyz", folder / "up.log", env):
        yield Product(f"http://127.0.0.1:{port}", agents)


@contextmanager
def _region(folder: Path, keystone: Keystone) -> Iterator[Product]:
    """Managers, two deliveries and two gateways, on servers of their own."""
    # What only this shape needs: the servers that tests have.
    from tests.conftest import NatsServer, postgres_server
    from tests.fixtures.region import served

    from alcor.assembly.config import Config
    from alcor.integrations.keystone.settings import KeystoneSettings
    from alcor.managers.quota.app import QuotaSettings

    password = folder / "password"
    password.touch(0o600)
    password.write_text(keystone.service.password)
    config = Config(
        auth="keystone",
        keystone=KeystoneSettings(auth_url=keystone.url, password_file=str(password)),
        quota=QuotaSettings(router=-1, floatingip=-1),
    )
    with ExitStack() as stack:
        nats = NatsServer(folder / "nats")
        stack.callback(nats.kill)
        postgres = stack.enter_context(postgres_server())
        databases = postgres.url("alcor_{manager}")
        region = stack.enter_context(served(config, folder, nats.url, databases))
        yield Product(f"http://{region.host}:{region.port}", region.agents)
