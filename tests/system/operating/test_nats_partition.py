"""A NATS server that is cut off from its cluster, and not from its clients: they leave it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
from nats.aio.client import Client
from tests.system.conftest import of_this_checkout

from alcor.assembly.config import Config
from alcor.assembly.role import Region, region
from alcor.keyed_log.log import Change
from alcor.lab import namespaces
from alcor.lab.commands import ip_batch
from alcor.runtime.config import load

SIZE = 3
prefix = of_this_checkout("alcor-cut")
node = f"{prefix}-node"
deadline_s = 120


def name_of(number: int) -> str:
    return f"{prefix}-{number}"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[str]]:
    """Three servers, each in a namespace; clients reach them by one wire and they each other by
    another. Their URLs."""
    names = [name_of(number) for number in range(SIZE)]
    routes = ",".join(f"nats://10.92.0.{number + 1}:6222" for number in range(SIZE))
    with ExitStack() as stack:
        namespaces.create([node, *names])
        stack.callback(namespaces.remove, [node, *names])
        lines = [f"link add {each} type bridge" for each in ("clients", "routes")]
        lines += [f"link set {each} up" for each in ("clients", "routes", "lo")]
        ip_batch([*lines, "addr add 10.91.0.254/24 dev clients"], node)
        for number, name in enumerate(names):
            for wire in ("clients", "routes"):
                end = f"{wire[0]}{number}"
                lines = [f"link add {end} type veth peer name {wire} netns {name}"]
                ip_batch([*lines, f"link set {end} master {wire} up"], node)
            lines = [f"addr add 10.9{n}.0.{number + 1}/24 dev {wire}" for n, wire in WIRES]
            lines += [f"link set {each} up" for each in ("clients", "routes", "lo")]
            ip_batch(lines, name)
            argv: list[str | Path] = [Path(sys.executable).with_name("nats-server")]
            argv += ["-a", f"10.91.0.{number + 1}", "-js", "-sd", tmp_path / name, "-n", name]
            argv += ["--cluster_name", "alcor", "--routes", routes]
            argv += ["--cluster", f"nats://10.92.0.{number + 1}:6222"]
            log = stack.enter_context((tmp_path / f"{name}.log").open("ab"))
            with namespaces.inside(name):
                process = subprocess.Popen(argv, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield [f"nats://10.91.0.{number + 1}" for number in range(SIZE)]


WIRES = ((1, "clients"), (2, "routes"))


def server_of(client: Client) -> int:
    """The number of the server that a client is connected to."""
    url = client.connected_url
    assert url is not None
    return int(str(url.hostname).rpartition(".")[2]) - 1


def config_of(servers: list[str]) -> Config:
    return load(Config, None, {}, {"served.nats": ",".join(servers), "served.nats_replicas": 3})


async def told(found: Region) -> bytes:
    return await found.wire.call("echo", b"there?")


def test_who_comes_to_a_server_that_is_cut_off_leaves_it(servers: list[str]) -> None:
    async def echo(request: bytes) -> bytes:
        return request

    async def main() -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(asyncio.timeout(deadline_s))
            asks = await stack.enter_async_context(region(config_of(servers), "asks"))
            cut = server_of(asks.client)
            others = [url for n, url in enumerate(servers) if n != cut]
            answers = await stack.enter_async_context(region(config_of(others), "answers"))
            await answers.wire.serve({"echo": echo})
            log = asks.log("intent")
            await log.put([Change("a/1", b"before", 1)])
            life = log.life
            ip_batch([f"link set r{cut} down"], node)

            await log.put([Change("a/1", b"after", 2)])

            assert server_of(asks.client) != cut
            assert await told(asks) == b"there?"
            assert log.life == life
            ip_batch([f"link set r{cut} up"], node)

    with namespaces.inside(node):
        asyncio.run(main())
