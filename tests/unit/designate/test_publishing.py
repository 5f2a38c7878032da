"""Names are published over HTTP: again after an outage, and only what differs after a crash."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.session import Session
from tests.fixtures.designate import Designate
from tests.fixtures.flaky import Flaky
from tests.fixtures.telling import rebuilt, telling, until

from alcor.integrations.designate.app import DesignateApp
from alcor.integrations.designate.client import DESCRIPTION, DesignateClient
from alcor.integrations.designate.record_sets import RecordSet
from alcor.integrations.designate.settings import DesignateSettings
from alcor.intent import records
from alcor.intent.records import (
    FixedIp,
    FloatingIpRecord,
    NetworkRecord,
    PortRecord,
    Record,
    SubnetRecord,
)
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.runtime.sql.places import Place

ZONE = "example.org."
WEB = (ZONE, f"web.{ZONE}", "A")


class World:
    """The log that the publisher follows: a network with a domain, and its published subnet."""

    def __init__(self) -> None:
        self.intent = MemoryLog(1)
        self._revision = 0

    async def begin(self) -> None:
        network = NetworkRecord(id="n", project_id="blue", vni=1, mtu=1_450, dns_domain=ZONE)
        await self.put("network", "n", network)
        subnet = SubnetRecord(
            id="s", network_id="n", project_id="blue", ip_version=4, cidr="10.0.0.0/24",
            dns_publish_fixed_ip=True,
        )  # fmt: skip
        await self.put("subnet", "s", subnet)

    async def port(self, id_: str, address: str = "", name: str = "web") -> None:
        """A port with that address; without one it is gone."""
        record = PortRecord(
            id=id_, network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01",
            fixed_ips=(FixedIp("s", address),), dns_name=name,
        )  # fmt: skip
        await self.put("port", id_, record if address else None)

    async def floating(self, port_id: str) -> None:
        record = FloatingIpRecord(
            id="f", project_id="blue", floating_network_id="x", mac_address="fa:16:3e:00:00:02",
            floating_ip_address="198.51.100.7", floating_port_id="fp", port_id=port_id,
        )  # fmt: skip
        await self.put("floating_ip", "f", record)

    async def put(self, kind: str, id_: str, record: Record | None) -> None:
        self._revision += 1
        value = None if record is None else records.encode(record)
        await self.intent.put([Change(records.key(kind, id_), value, self._revision)])


async def publish(
    folder: Place,
    endpoint: str,
    world: World,
    scene: Callable[[], Any],
    client_type: type[DesignateClient] = DesignateClient,
    **settings: Any,
) -> None:
    """Run a publisher on this folder while the scene plays."""
    set_ = DesignateSettings(endpoint=endpoint, interval_s=0.01, retry_s_max=0.05, **settings)
    client = client_type(Session(), endpoint, authenticated=False)
    app = DesignateApp(folder, world.intent, rebuilt, client, set_)
    async with telling(app, client):
        await scene()


def writes(server: Designate) -> list[str]:
    return [call.partition(" ")[0] for call in server.calls if not call.startswith("GET")]


def test_names_come_change_and_go_with_their_ports(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await until(lambda: server.held() == {WEB: ["10.0.0.5"]})
        await world.port("q", "10.0.0.6")
        await until(lambda: server.held() == {WEB: ["10.0.0.5", "10.0.0.6"]})
        await world.port("p")
        await until(lambda: server.held() == {WEB: ["10.0.0.6"]})
        await world.port("q", "10.0.0.6", name="db")
        await until(lambda: server.held() == {(ZONE, f"db.{ZONE}", "A"): ["10.0.0.6"]})

    with Designate() as server:
        server.zone(ZONE, "blue")
        asyncio.run(publish(tmp_path, server.endpoint, world, scene))


def test_addresses_of_floating_ips_lead_back_in_a_zone_that_is_made(tmp_path: Path) -> None:
    world, zone = World(), "100.51.198.in-addr.arpa."
    pointer = (zone, f"7.{zone}", "PTR")

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await world.floating("p")
        both = ["10.0.0.5", "198.51.100.7"]
        await until(lambda: server.held() == {WEB: both, pointer: [f"web.{ZONE}"]})
        await world.floating("")
        await until(lambda: server.held() == {WEB: ["10.0.0.5"]})

    with Designate() as server:
        server.zone(ZONE, "blue")
        asyncio.run(publish(tmp_path, server.endpoint, world, scene, reverse=True))
        assert [each["name"] for each in server.zones.values()] == [ZONE, zone]


def test_nobody_s_zone_is_written_to_for_another_project(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await until(lambda: len(server.calls) > 0)
        # A zone of their own is found at the next comparison.
        server.zone(ZONE, "blue")
        await until(lambda: WEB in server.held())

    with Designate() as server:
        theirs = server.zone(ZONE, "red")
        asyncio.run(publish(tmp_path, server.endpoint, world, scene, compare_s=0.05))
        assert all(each["zone"] != theirs for each in server.sets.values())


@pytest.mark.parametrize("status", [500, 503, 401, 429])
def test_what_designate_did_not_take_is_put_again(tmp_path: Path, status: int) -> None:
    world = World()

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await until(lambda: server.held() == {WEB: ["10.0.0.5"]})

    with Designate() as server:
        server.zone(ZONE, "blue")
        server.failures = [status] * 3
        asyncio.run(publish(tmp_path, server.endpoint, world, scene))
        assert not server.failures


def test_one_name_that_is_refused_holds_no_other_up(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await world.port("q", "10.0.0.6", name="db")
        db = (ZONE, f"db.{ZONE}", "A")
        await until(lambda: server.held() == {WEB: ["192.0.2.1"], db: ["10.0.0.6"]})
        await world.port("p")
        await world.port("q")
        await until(lambda: server.held() == {WEB: ["192.0.2.1"]})

    with Designate() as server:
        zone = server.zone(ZONE, "blue")
        server.make(
            server.sets, zone=zone, name=WEB[1], type="A", records=["192.0.2.1"], description=None
        )
        asyncio.run(publish(tmp_path, server.endpoint, world, scene))


def test_what_went_while_the_publisher_was_away_is_taken_away(tmp_path: Path) -> None:
    world = World()

    async def before() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await world.port("q", "10.0.0.6", name="db")
        await world.port("r", "10.0.0.7", name="ftp")
        await until(lambda: len(server.held()) == 3)

    async def after() -> None:
        await until(lambda: server.held() == now)

    with Designate() as server:
        server.zone(ZONE, "blue")
        asyncio.run(publish(tmp_path, server.endpoint, world, before))
        asyncio.run(world.port("p"))
        asyncio.run(world.port("q", "10.0.0.9", name="db"))
        now = {
            (ZONE, f"db.{ZONE}", "A"): ["10.0.0.9"],
            (ZONE, f"ftp.{ZONE}", "A"): ["10.0.0.7"],
        }
        server.calls.clear()
        asyncio.run(publish(tmp_path, server.endpoint, world, after))
        assert sorted(writes(server)) == ["DELETE", "PUT"]


class Unanswered(DesignateClient):
    """Puts, and never comes back."""

    async def put(self, of: RecordSet, records: Collection[str]) -> None:
        await super().put(of, records)
        await asyncio.Event().wait()


def test_what_was_under_way_when_the_publisher_was_cut_short_is_taken_away(tmp_path: Path) -> None:
    world = World()

    async def before() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await until(lambda: WEB in server.held())

    async def after() -> None:
        await until(lambda: not server.held())

    with Designate() as server:
        server.zone(ZONE, "blue")
        asyncio.run(publish(tmp_path, server.endpoint, world, before, Unanswered))
        asyncio.run(world.port("p"))
        asyncio.run(publish(tmp_path, server.endpoint, world, after))


def test_what_others_took_away_is_put_again(tmp_path: Path) -> None:
    world = World()

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await until(lambda: WEB in server.held())
        server.sets.clear()
        await until(lambda: WEB in server.held())

    with Designate() as server:
        server.zone(ZONE, "blue")
        asyncio.run(publish(tmp_path, server.endpoint, world, scene, compare_s=0.05))
        assert [each["description"] for each in server.sets.values()] == [DESCRIPTION]


def test_a_designate_that_is_down_gets_it_all_when_it_is_back(tmp_path: Path) -> None:
    world = World()
    with Designate() as gone:
        port = gone.server_address[1]

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await world.port("q", "10.0.0.6", name="db")
        with Designate(port) as back:
            back.zone(ZONE, "blue")
            await until(lambda: len(back.held()) == 2)

    asyncio.run(publish(tmp_path, f"http://127.0.0.1:{port}", world, scene))


@pytest.mark.parametrize("lost", [1, 2])  # that it is about to be put, and that it was
def test_a_name_that_could_not_be_noted_is_published_nonetheless(tmp_path: Path, lost: int) -> None:
    world = World()

    async def scene() -> None:
        await world.begin()
        await world.port("p", "10.0.0.5")
        await until(lambda: WEB in server.held())
        await world.port("p")
        await until(lambda: not server.held())

    with Designate() as server:
        server.zone(ZONE, "blue")
        asyncio.run(publish(Flaky(tmp_path, lost), server.endpoint, world, scene))
