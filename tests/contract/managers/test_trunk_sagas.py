"""Trunks and the ports that they are made of: deaths at every step, and how trunks are.

The port, IP and MAC managers are real and live on; the trunk manager dies before or after each call
to a peer and each transaction, one step further each time, until the saga is through. After every
death the next life lets the ports be as the trunks are.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from tests.contract.managers.conftest import settle_tasks
from tests.contract.managers.mortal import Fate, Mortal, die_at_every_step, let_die
from tests.fixtures.foundation import foundation

from alcor.contracts.peers import NetworkPeer
from alcor.contracts.resources import (
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListRequest,
)
from alcor.contracts.trunking import TrunkPortPeer
from alcor.goal_state.reports import PortReport, PortStatus, port_key
from alcor.keyed_log.log import Change
from alcor.managers.trunk.app import TrunkApp, TrunkSettings
from alcor.managers.trunk.needs import Peers
from alcor.resource import body
from alcor.runtime.calls.rpc import loopback

N1 = "11111111-0000-4000-8000-000000000001"
ADMIN = Caller(project_id="p1", admin=True)
wait_s_max = 60  # until a status is known; how busy the machine is must not matter


class Region:
    """One life of the trunk manager, in a world of the others."""

    def __init__(self, lives: Any, world: Any) -> None:
        self.fate = Fate()
        self.world = world
        trunk_ports = dict(world.port.peers)[TrunkPortPeer]
        peers: Any = Peers(
            Mortal(loopback(NetworkPeer, world.owners), self.fate),
            Mortal(world.held, self.fate),
            Mortal(loopback(TrunkPortPeer, trunk_ports), self.fate),
        )
        self.app = TrunkApp(
            foundation(lives.place, world.intent, world.reports), peers, TrunkSettings()
        )
        let_die(self.app.database, self.fate)
        ((self.kind, self.trunks),) = self.app.resources

    # What a client does.

    async def ports(self, count: int) -> list[str]:
        made = await self.world.create(*[{"network_id": N1} for _ in range(count)])
        return [port["id"] for port in made]

    async def make(self, parent: str, *sub_ports: str) -> str:
        fields = {"port_id": parent, "sub_ports": seats(sub_ports)}
        content = msgspec.json.encode({"trunk": fields})
        items = [item | {"project_id": "p1"} for item in body.created(self.kind, content, 1).items]
        (made,) = (await self.trunks.create(CreateRequest(ADMIN, items))).items
        id_: str = msgspec.json.decode(made)["id"]
        return id_

    async def act(self, trunk: str, verb: str, *sub_ports: str, first: int = 2) -> None:
        what = {"sub_ports": seats(sub_ports, first)}
        await self.trunks.act(ActRequest(ADMIN, trunk, verb, what))  # type: ignore[attr-defined]

    async def delete(self, trunk: str) -> None:
        await self.trunks.delete(DeleteRequest(ADMIN, trunk))

    async def shown(self) -> list[dict[str, Any]]:
        page = await self.trunks.list_page(ListRequest(ADMIN, ListQuery()))
        return [msgspec.json.decode(raw) for raw in page.items]

    # What hosts say.

    async def report(self, port_id: str, host: str, status: PortStatus) -> None:
        reports = self.world.reports
        said = msgspec.msgpack.encode(PortReport(port_id, host, status))
        await reports.put([Change(port_key(host, port_id), said, reports.position + 1)])

    # What must hold.

    async def check(self) -> None:
        """Ports are on the trunks that have them, and on no others."""
        self.world.check()
        assert self.world.rows("trunk", "SELECT * FROM unsettled") == []
        trunks = {trunk["id"]: trunk for trunk in await self.shown()}
        parents: dict[str, str] = {}
        seated: dict[str, tuple[str, str, int]] = {}
        for port in await self.world.listed():
            if details := port.get("trunk_details"):
                parents[port["id"]] = details["trunk_id"]
                shown = [(e["port_id"], e["segmentation_id"]) for e in details["sub_ports"]]
                had = trunks[details["trunk_id"]]["sub_ports"]
                assert sorted(shown) == sorted((e["port_id"], e["segmentation_id"]) for e in had)
            if seat := port.get("trunk_subport"):
                place = (seat["trunk_id"], seat["port_id"], seat["segmentation_id"])
                seated[port["id"]] = place
            assert (port["device_owner"] == "trunk:subport") == (port["id"] in seated)
        assert parents == {trunk["port_id"]: id_ for id_, trunk in trunks.items()}
        assert seated == {
            each["port_id"]: (id_, trunk["port_id"], each["segmentation_id"])
            for id_, trunk in trunks.items()
            for each in trunk["sub_ports"]
        }


def seats(port_ids: tuple[str, ...], first: int = 2) -> list[dict[str, Any]]:
    return [
        {"port_id": id_, "segmentation_type": "vlan", "segmentation_id": tag}
        for tag, id_ in enumerate(port_ids, first)
    ]


@asynccontextmanager
async def region_of(lives: Any, world: Any) -> AsyncIterator[Region]:
    region = Region(lives, world)
    tasks = []
    try:
        await region.app.recover()
        await region.app._settling.settle()
        *watching, settling = region.app.tasks()
        settling.close()  # done above, and at no other step than ours
        tasks = [asyncio.ensure_future(task) for task in watching]
        yield region
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await region.app.database.close()


Saga = Callable[[Region, str, list[str]], Awaitable[object]]


async def make(region: Region, _: str, free: list[str]) -> None:
    await region.make(*free)


async def add(region: Region, trunk: str, free: list[str]) -> None:
    await region.act(trunk, "add_subports", *free, first=10)


async def remove(region: Region, trunk: str, _: list[str]) -> None:
    (held,) = [each for each in await region.shown() if each["id"] == trunk]
    await region.act(trunk, "remove_subports", *(each["port_id"] for each in held["sub_ports"]))


async def delete(region: Region, trunk: str, _: list[str]) -> None:
    await region.delete(trunk)


@pytest.mark.parametrize("lives", ["sqlite"], indirect=True)
@pytest.mark.parametrize("saga", [make, add, remove, delete])
def test_a_death_at_any_step_leaves_ports_as_the_trunks_are(lives: Any, saga: Saga) -> None:
    async def survived(world: Any, steps: int) -> bool:
        """Whether the saga was through before its manager died."""
        async with region_of(lives, world) as region:
            parent, *others = await region.ports(6)
            trunk = await region.make(parent, *others[:2])
            through = await region.fate.allows(saga(region, trunk, others[2:]), steps)
        async with region_of(lives, world) as region:
            await region.check()
        return through

    die_at_every_step(lives, lambda world: world.add_network(N1), survived)


def test_a_trunk_is_as_its_ports_own_hosts_say(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world, region_of(lives, world) as region:
            await world.add_network(N1)
            for host in ("h1", "h2"):
                await world.add_node(host)
            parent, one, two = await region.ports(3)
            await region.make(parent, one, two)

            async def becomes(status: str) -> None:
                async with asyncio.timeout(wait_s_max):
                    while (await region.shown())[0]["status"] != status:
                        await settle_tasks()

            await becomes("DOWN")
            await world.update(parent, binding_host="h1")
            await region.report(parent, "h1", PortStatus.UP)
            await becomes("BUILD")
            await region.report(one, "h1", PortStatus.UP)
            await region.report(two, "h2", PortStatus.UP)  # no host of its own
            await becomes("BUILD")
            await region.report(two, "h1", PortStatus.FAILED)
            await becomes("DEGRADED")
            await region.report(two, "h1", PortStatus.UP)
            await becomes("ACTIVE")
            await region.report(parent, "h1", PortStatus.FAILED)
            await becomes("ERROR")
            await region.report(parent, "h1", PortStatus.UP)
            await becomes("ACTIVE")
            await world.update(parent, binding_host="h2")
            await becomes("DOWN")

    asyncio.run(main())
