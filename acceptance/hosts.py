"""Live hosts for the product under test: a lab of switches and agents, as root only."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from acceptance.environments import run
from acceptance.keystone import Keystone
from acceptance.product import Product

_ALCOR = (sys.executable, "-m", "alcor.cli.main", "lab")


@contextmanager
def hosts(
    folder: Path,
    product: Product,
    keystone: Keystone,
    count: int,
    settings: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """`count` hosts whose agents speak with the product, for as long as the context lasts.

    The name of their lab. `settings` are agents', by the names of their environment variables.
    """
    name = f"acc{os.getpid()}"
    if not count:
        yield name
        return
    signed_in = dict(os.environ) | {"ALCOR_TOKEN": keystone.token(keystone.admin)}
    signed_in |= settings or {}
    where = ["--endpoint", product.endpoint, "--agents-target", product.agents]
    up = [*_ALCOR, "up", "--name", name, "--hosts", str(count), *where]
    try:
        run(up, folder / "lab.log", signed_in)
        yield name
    finally:
        subprocess.run([*_ALCOR, "down", "--name", name], capture_output=True, check=False)
