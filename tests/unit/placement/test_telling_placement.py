"""Placement hears of hosts over HTTP: again after an outage; after a crash, what differs."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from keystoneauth1.session import Session
from prometheus_client import REGISTRY
from tests.fixtures.flaky import Flaky, FlakyDatabase
from tests.fixtures.placement import Placement
from tests.fixtures.telling import rebuilt, telling, until, wait_s_max

from alcor.goal_state.reports import SyncReport, placement_key
from alcor.integrations.placement.app import PlacementApp
from alcor.integrations.placement.client import PlacementClient
from alcor.integrations.placement.providers import Wish
from alcor.integrations.placement.settings import PlacementSettings
from alcor.intent import records
from alcor.intent.records import NodeRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.runtime.sql.places import Place
from alcor.values.capacity import Bandwidth, Capacity, Inventory, PacketRates

EGRESS, INGRESS = "NET_BW_EGR_KILOBIT_PER_SEC", "NET_BW_IGR_KILOBIT_PER_SEC"
PACKETS = "NET_PACKET_RATE_KILOPACKET_PER_SEC"
NORMAL = "CUSTOM_VNIC_TYPE_NORMAL"
AGENT, UPLINK = "h1:Open vSwitch agent", "h1:Open vSwitch agent:br-ex"
BOTH = {
    AGENT: ("h1", {NORMAL}, {PACKETS: 9}),
    UPLINK: (AGENT, {NORMAL, "CUSTOM_PHYSNET_ONE"}, {EGRESS: 10_000, INGRESS: 20_000}),
}


def uplink(egress: int = 10_000) -> Bandwidth:
    return Bandwidth("br-ex", "one", egress=egress, ingress=20_000)


class World:
    """The log of hosts."""

    def __init__(self) -> None:
        self.intent, self.reports = MemoryLog(1), MemoryLog(1)
        self._revision = 0

    async def host(self, name: str, *bandwidths: Bandwidth, packets: int = 9) -> None:
        """A host that can guarantee this."""
        capacity = Capacity(bandwidths=bandwidths, packet_rates=PacketRates(any=packets))
        await self.put(name, NodeRecord(id=name, tunnel_ip="192.0.2.1", capacity=capacity))

    async def put(self, name: str, record: NodeRecord | None) -> None:
        self._revision += 1
        value = None if record is None else records.encode(record)
        await self.intent.put([Change(records.key("node", name), value, self._revision)])

    async def synced(self, host: str) -> bool | None:
        """What is said of the host: whether Placement knows all; None: nothing, or nothing yet."""
        held = (await self.reports.get([placement_key(host)])).get(placement_key(host))
        if held is None or held.value is None:
            return None
        return msgspec.msgpack.decode(held.value, type=SyncReport).is_whole

    async def until_synced(self, host: str, wanted: bool | None) -> None:
        async with asyncio.timeout(wait_s_max):
            while await self.synced(host) is not wanted:  # noqa: ASYNC110 - of another task
                await asyncio.sleep(0.01)


async def tell(
    folder: Place,
    endpoint: str,
    world: World,
    scene: Callable[[], Any],
    client_type: type[PlacementClient] = PlacementClient,
    **settings: Any,
) -> None:
    """Tell Placement, from this folder, while the scene plays."""
    set_ = PlacementSettings(endpoint=endpoint, interval_s=0.01, retry_s_max=0.05, **settings)
    client = client_type(Session(), endpoint, authenticated=False)
    app = PlacementApp(folder, world.intent, world.reports, rebuilt, client, set_)
    async with telling(app, client):
        await scene()


def writes(server: Placement) -> list[str]:
    return [call for call in server.calls if not call.startswith("GET")]


def told() -> float:
    """How often Placement was told of a host."""
    return REGISTRY.get_sample_value("alcor_placement_hosts_told_total") or 0


def test_providers_come_change_and_go_with_what_hosts_say(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        await world.host("h1", uplink(5_000), Bandwidth("rp_tunnelled", tunnels=True, ingress=7))
        await until(lambda: server.held().get(UPLINK, BOTH[UPLINK])[2][EGRESS] == 5_000)
        tunnels = (AGENT, {NORMAL, "CUSTOM_NETWORK_TUNNEL_PROVIDER"}, {INGRESS: 7})
        await until(lambda: server.held().get(f"{AGENT}:rp_tunnelled") == tunnels)
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        await world.host("h1", packets=0)
        await until(lambda: not server.held())
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        await world.put("h1", None)
        await until(lambda: not server.held())

    with Placement() as server:
        server.compute("h1")
        asyncio.run(tell(tmp_path, server.endpoint, world, scene))


def test_it_waits_for_the_compute_host_and_holds_no_other_host_up(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h2", uplink())
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        server.compute("h2")
        await until(lambda: len(server.held()) == 4)

    with Placement() as server:
        server.compute("h1")
        asyncio.run(tell(tmp_path, server.endpoint, world, scene))


@pytest.mark.parametrize("status", [500, 503, 401, 429])
def test_what_placement_did_not_take_is_told_again(tmp_path: Path, status: int) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)

    with Placement() as server:
        server.compute("h1")
        server.failures = [status] * 3
        asyncio.run(tell(tmp_path, server.endpoint, world, scene))
        assert not server.failures


def test_what_somebody_else_changed_meanwhile_is_read_again(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)

    with Placement() as server:
        server.compute("h1")
        server.races = 3
        asyncio.run(tell(tmp_path, server.endpoint, world, scene))
        assert not server.races


def test_after_a_restart_only_what_differs_is_told(tmp_path: Path) -> None:
    world, began = World(), told()

    async def before() -> None:
        await world.host("h1", uplink())
        await world.host("h2", uplink())
        await world.host("h3", uplink())
        await until(lambda: told() - began == 3)  # and it has been noted

    async def after() -> None:
        await until(lambda: server.held()["h2:Open vSwitch agent:br-ex"][2][EGRESS] == 7)
        await until(lambda: len(server.held()) == 4)

    with Placement() as server:
        for name in ("h1", "h2", "h3"):
            server.compute(name)
        asyncio.run(tell(tmp_path, server.endpoint, world, before))
        asyncio.run(world.host("h2", uplink(7)))
        asyncio.run(world.put("h3", None))
        server.calls.clear()
        asyncio.run(tell(tmp_path, server.endpoint, world, after))
        assert sorted(call.partition(" ")[0] for call in writes(server)) == [
            "DELETE",
            "DELETE",
            "PUT",
        ]
        assert "GET /resource_providers?name=h1" not in server.calls


class Unanswered(PlacementClient):
    """Puts, and never comes back."""

    async def put(self, wish: Wish, gone: Any) -> None:
        await super().put(wish, gone)
        await asyncio.Event().wait()


def test_what_was_under_way_when_it_was_cut_short_is_taken_away(tmp_path: Path) -> None:
    world = World()

    async def before() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)

    async def after() -> None:
        await until(lambda: not server.held())

    with Placement() as server:
        server.compute("h1")
        asyncio.run(tell(tmp_path, server.endpoint, world, before, Unanswered))
        asyncio.run(world.put("h1", None))
        asyncio.run(tell(tmp_path, server.endpoint, world, after))


def test_what_others_changed_or_took_away_is_told_again(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        for each in server.providers.values():
            if each["name"] == UPLINK:
                each["inventories"], each["traits"] = {}, [NORMAL]
        await until(lambda: server.held() == BOTH)
        for id_, each in list(server.providers.items()):
            if each["name"] == UPLINK:
                del server.providers[id_]
        await until(lambda: server.held() == BOTH)

    with Placement() as server:
        server.compute("h1")
        asyncio.run(tell(tmp_path, server.endpoint, world, scene, compare_s=0.05))


def test_what_is_allocated_stays_until_it_is_free(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        (id_,) = (id_ for id_, each in server.providers.items() if each["name"] == UPLINK)
        server.used.add(id_)
        await world.put("h1", None)
        await until(lambda: f"DELETE /resource_providers/{id_}" in server.calls)
        # It holds no other host up.
        await world.host("h2", uplink())
        await until(lambda: len(server.held()) == 4)
        server.used.clear()
        await until(lambda: len(server.held()) == 2)

    with Placement() as server:
        server.compute("h1")
        server.compute("h2")
        asyncio.run(tell(tmp_path, server.endpoint, world, scene, compare_s=0.05))


def test_one_whose_name_is_taken_holds_no_other_up(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h2", uplink())
        await world.host("h1", uplink())
        await until(lambda: BOTH.items() <= server.held().items())

    with Placement() as server:
        server.compute("h1")
        server.compute("h2")
        server.compute("h2:Open vSwitch agent")  # by hand
        asyncio.run(tell(tmp_path, server.endpoint, world, scene))


def test_a_parent_that_was_made_anew_gets_its_children(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        held = server.providers.pop("root-h1")
        server.providers["another"] = held
        parents = {"another"}
        await until(
            lambda: (
                parents
                == {
                    each["parent_provider_uuid"]
                    for each in server.providers.values()
                    if each["name"] == AGENT
                }
            )
        )

    with Placement() as server:
        server.compute("h1")
        asyncio.run(tell(tmp_path, server.endpoint, world, scene, compare_s=0.05))


def test_how_totals_are_given_out_is_told(tmp_path: Path) -> None:
    world = World()
    inventory = Inventory(1.5, 10, 500, 5, 100)
    capacity = Capacity(bandwidths=(uplink(),), bandwidth_inventory=inventory)

    async def scene() -> None:
        await world.put("h1", NodeRecord(id="h1", tunnel_ip="192.0.2.1", capacity=capacity))
        await until(lambda: len(server.held().get(UPLINK, ("", set(), {}))[2]) == 2)
        ((id_, each),) = (p for p in server.providers.items() if p[1]["name"] == UPLINK)
        # Nobody is to have something of what has no traits yet.
        puts = [f"PUT /resource_providers/{id_}/{part}" for part in ("traits", "inventories")]
        assert [call for call in server.calls if call in puts] == puts
        assert each["inventories"][EGRESS] == {
            "total": 10_000,
            "allocation_ratio": 1.5,
            "min_unit": 10,
            "max_unit": 500,
            "step_size": 5,
            "reserved": 100,
        }

    with Placement() as server:
        server.compute("h1")
        asyncio.run(tell(tmp_path, server.endpoint, world, scene))


@pytest.mark.parametrize("lost", [1, 2])  # that it is about to be told, and that it was
def test_a_host_that_could_not_be_noted_is_told_nonetheless(tmp_path: Path, lost: int) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        await world.put("h1", None)
        await until(lambda: not server.held())

    with Placement() as server:
        server.compute("h1")
        asyncio.run(tell(Flaky(tmp_path, lost), server.endpoint, world, scene))


def test_it_is_said_of_which_hosts_placement_knows_all(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.host("h1", uplink())
        await world.until_synced("h1", False)  # there is no nova-compute yet
        server.compute("h1")
        await world.until_synced("h1", True)
        await world.host("h1", packets=0)
        await world.until_synced("h1", None)
        await world.host("h1", uplink())
        await world.until_synced("h1", True)

    async def again() -> None:
        await world.until_synced("h1", True)

    with Placement() as server:
        asyncio.run(tell(tmp_path, server.endpoint, world, scene))
        world.reports = MemoryLog(2)  # which has lost all
        asyncio.run(tell(tmp_path, server.endpoint, world, again))


class Interrupted(Flaky):
    """What happens while the row of this number, from 1 on, is written."""

    def __init__(
        self, folder: Path, number: int, meanwhile: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        super().__init__(folder)
        self._numbers, self._meanwhile = count(1), meanwhile
        self._number = number

    def open(self, manager: str, versions: Path) -> FlakyDatabase:
        database = super().open(manager, versions)
        write = database.write

        async def interrupted(work: Callable[[Any], Any]) -> Any:
            if next(self._numbers) == self._number:
                await self._meanwhile()
            return await write(work)

        database.write = interrupted  # type: ignore[method-assign]
        return database


def test_what_changes_while_it_is_noted_is_told(tmp_path: Path) -> None:
    world = World()

    async def meanwhile() -> None:
        await world.host("h1", uplink(7))
        for _ in range(100):  # until it was heard
            await asyncio.sleep(0)

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held().get(UPLINK, BOTH[UPLINK])[2].get(EGRESS) == 7)

    with Placement() as server:
        server.compute("h1")
        place = Interrupted(tmp_path, 1, meanwhile)
        asyncio.run(tell(place, server.endpoint, world, scene))


def test_a_host_that_is_as_before_while_its_change_is_noted_is_told(tmp_path: Path) -> None:
    world = World()

    async def meanwhile() -> None:
        await world.host("h1", uplink())
        for _ in range(100):  # until it was heard
            await asyncio.sleep(0)

    async def scene() -> None:
        await world.host("h1", uplink())
        await until(lambda: server.held() == BOTH)
        await world.host("h1", packets=0)
        await until(lambda: "DELETE" in str(server.calls))
        await until(lambda: server.held() == BOTH)

    with Placement() as server:
        server.compute("h1")
        place = Interrupted(tmp_path, 3, meanwhile)
        asyncio.run(tell(place, server.endpoint, world, scene))
