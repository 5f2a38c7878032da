"""A leader whose machine is cut off from the server is replaced within seconds, and hears of it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from alcor.runtime.sql.postgres import PostgresDatabase

soon_s = 60.0  # a server that did not ask whether the other machine is there would wait for hours

LEADER = """
import asyncio, sys
from alcor.runtime.sql.database import Deposed
from alcor.runtime.sql.postgres import PostgresDatabase

async def main():
    database = PostgresDatabase(sys.argv[1], "test")
    await database.lead()
    print("leads", flush=True)
    try:
        await database.deposed()
    except Deposed:
        print("deposed", flush=True)

asyncio.run(main())
"""


class Machines(NamedTuple):
    """Two machines, as network namespaces, with a wire between them."""

    server: str
    leader: str

    def cut(self) -> None:
        """Nothing passes any more, and nobody is told."""
        ip("-n", self.leader, "link", "set", "wire", "down")

    def mend(self) -> None:
        """It passes again."""
        ip("-n", self.leader, "link", "set", "wire", "up")


def ip(*arguments: str) -> None:
    subprocess.run(("ip", *arguments), check=True, timeout=10)


@pytest.fixture
def machines() -> Iterator[Machines]:
    found = Machines(*(f"{side}-{uuid4().hex[:8]}" for side in ("pg", "ld")))
    made: list[str] = []
    try:
        for name in found:
            ip("netns", "add", name)
            made.append(name)
        peer = ("type", "veth", "peer", "name", "wire", "netns", found.leader)
        ip("link", "add", "wire", "netns", found.server, *peer)
        for number, name in enumerate(found, 1):
            ip("-n", name, "address", "add", f"192.0.2.{number}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
        yield found
    finally:
        for name in made:
            ip("netns", "del", name)


def test_who_is_cut_off_while_it_leads_is_replaced(own_postgres: Any, machines: Machines) -> None:
    own_postgres.kill()
    with (own_postgres.folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 192.0.2.0/24 trust\n")
    own_postgres.namespace, own_postgres.address = machines.server, "192.0.2.1"
    own_postgres.start()

    async def main() -> None:
        by_wire = "postgresql://alcor@192.0.2.1/postgres"
        argv = [*("ip", "netns", "exec", machines.leader), sys.executable, "-c", LEADER, by_wire]
        leader = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        other = PostgresDatabase(own_postgres.url("postgres"), "test")
        assert leader.stdout is not None
        try:
            async with asyncio.timeout(soon_s):
                assert await leader.stdout.readline() == b"leads\n"
                machines.cut()
                await other.lead()
                machines.mend()
                assert await leader.stdout.readline() == b"deposed\n"
        finally:
            if leader.returncode is None:
                leader.kill()
            await leader.wait()
            await other.close()

    asyncio.run(main())
