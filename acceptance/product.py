"""The product as an operator runs it: `alcor up` with Keystone, a process of its own."""

import sys
from pathlib import Path

from acceptance.keystone import Keystone
from acceptance.processes import Server, free_port


def product(folder: Path, keystone: Keystone) -> Server:
    """A control plane with fresh databases in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = {
        "AUTH": "keystone",
        "KEYSTONE__AUTH_URL": keystone.url,
        "KEYSTONE_PASSWORD": keystone.service.password,
        "DATA": str(folder),
        "LISTEN": f"127.0.0.1:{port}",
        "AGENTS__LISTEN": f"127.0.0.1:{free_port()}",
    }
    # Classes of tests that make more than ten routers in one project are meant to pass.
    settings |= {f"QUOTA__{kind}": "-1" for kind in ("ROUTER", "FLOATINGIP")}
    env = {f"ALCOR_{name}": value for name, value in settings.items()}
    argv = [sys.executable, "-m", "alcor.cli.main", "up"]
    return Server(argv, f"http://127.0.0.1:{port}/readyz", folder / "up.log", env)


def agents(server: Server) -> str:
    """Where agents connect, HOST:PORT."""
    return server.env["ALCOR_AGENTS__LISTEN"]


def endpoint(server: Server) -> str:
    """Where its API is, without a version."""
    return server.url.removesuffix("/readyz")
