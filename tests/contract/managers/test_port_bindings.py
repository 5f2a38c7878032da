"""What clients and hosts may rely on when ports are bound, and of their status."""

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.contract.managers.families import N1, P1, two_families

from alcor.contracts.held_ports import ROUTER_GATEWAY, HeldPort
from alcor.goal_state.reports import PortStatus, port_key, port_report
from alcor.intent import records
from alcor.intent.records import PortRecord
from alcor.keyed_log.log import Change, Entry


def test_a_binding_follows_what_is_known_of_the_host(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_node("told", told=True)
            await world.add_node("untold", told=False)
            hosts = ("", "told", "untold", "unknown")

            ports = await world.create(
                *[{"network_id": N1, "fixed_ips": [], "binding:host_id": h} for h in hosts]
            )

            types = [port["binding:vif_type"] for port in ports]
            assert types == ["unbound", "ovs", "ovs", "binding_failed"]
            await world.add_node("unknown")
            again = await world.update(ports[3]["id"], binding_host="unknown")
            assert again["binding:vif_type"] == "ovs"
            assert len(await world.listed(**{"binding:host_id": "told"})) == 1

    asyncio.run(main())


def plugged(port: dict[str, Any]) -> tuple[str, str]:
    details = port["binding:vif_details"]
    return details["bridge_name"], details["datapath_type"]


def test_a_binding_says_which_bridge_its_host_has(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_node("silent")
            await world.add_node("says", bridge="br7", datapath_type="netdev")
            one, two = await world.create(
                {"network_id": N1, "binding:host_id": "silent"},
                {"network_id": N1, "binding:host_id": "says"},
            )
            assert (plugged(one), plugged(two)) == (("br-int", "system"), ("br7", "netdev"))
            assert plugged(await world.update(one["id"], binding_host="says")) == ("br7", "netdev")

            await world.add_node("says", bridge="br7", datapath_type="system")
            await until_told(world, "says", "system")
            assert plugged(await world.update(two["id"], name="x")) == ("br7", "netdev")
            again = await world.update(two["id"], binding_host="says")
            assert plugged(again) == ("br7", "system")
            assert again["status"] == two["status"]

    asyncio.run(main())


def test_a_binding_tells_nova_to_make_the_tap_itself(lives: Any) -> None:
    """Without it a live migration waits for a port whose tap comes with the machine."""

    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_node("kernel", datapath_type="system")
            await world.add_node("userspace", datapath_type="netdev")
            hosts = ("kernel", "userspace")
            ports = await world.create(
                *({"network_id": N1, "binding:host_id": host} for host in hosts)
            )
            told = [port["binding:vif_details"]["ovs_create_tap"] for port in ports]
            assert told == [True, True]

    asyncio.run(main())


def test_no_port_is_bound_to_a_host_whose_agent_has_fallen_silent(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_node("lives", bridge="br-int")
            await world.add_node("dead", bridge="br-int")
            await world.add_node("to-come")
            hosts = ("lives", "dead", "to-come", "lives", "dead")
            bodies = [{"network_id": N1, "fixed_ips": [], "binding:host_id": h} for h in hosts]
            (before,) = await world.create(bodies[1])
            world.owners.silent_hosts = {"dead", "to-come"}
            world.owners.asked.clear()

            ports = await world.create(*bodies)

            types = [port["binding:vif_type"] for port in ports]
            assert types == ["ovs", "binding_failed", "ovs", "ovs", "binding_failed"]
            assert [port["binding:host_id"] for port in ports] == list(hosts)
            assert ports[1]["binding:vif_details"] == {}
            assert world.owners.asked == ["silent"]  # once for all

            moved = await world.update(ports[0]["id"], binding_host="dead")
            assert (moved["binding:vif_type"], moved["status"]) == ("binding_failed", "DOWN")
            named = await world.update(before["id"], binding_host="dead")
            assert named["binding:vif_type"] == "ovs"  # as its machine may run there

            renamed = await world.update(moved["id"], name="x")
            assert renamed["binding:vif_type"] == "binding_failed"
            world.owners.silent_hosts.clear()
            again = await world.update(moved["id"], name="y")  # whatever is changed
            assert (again["name"], again["binding:vif_type"]) == ("y", "ovs")
            assert again["binding:host_id"] == "dead"
            alike = await world.update(ports[4]["id"], name=ports[4]["name"])
            assert alike["binding:vif_type"] == "ovs"
            other = await world.update(ports[0]["id"], binding_host="")
            assert other["binding:vif_type"] == "unbound"

    asyncio.run(main())


def test_a_host_that_proves_a_failed_binding_is_plugged_as_it_says(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            (port,) = await world.create({"network_id": N1, "binding:host_id": "late"})
            assert port["binding:vif_type"] == "binding_failed"
            await world.add_node("late", bridge="br7", datapath_type="netdev")
            await until_told(world, "late", "netdev")

            await report(world, port["id"], "late", PortStatus.UP)

            assert plugged(await status_becomes(world, port["id"], "ACTIVE")) == ("br7", "netdev")

    asyncio.run(main())


async def until_told(world: Any, host: str, datapath_type: str) -> None:
    """The port manager's copy of the nodes says so."""
    async with asyncio.timeout(5):
        while True:
            known = world.port._references.host(host)
            if known is not None and known.datapath_type == datapath_type:
                return
            await asyncio.sleep(0)


async def report(world: Any, port_id: str, host: str, status: PortStatus) -> None:
    import msgspec

    value = msgspec.msgpack.encode(port_report(port_id, host, status))
    await world.reports.put([Change(port_key(host, port_id), value, world.reports.position + 1)])


async def status_becomes(world: Any, port_id: str, status: str) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            (port,) = await world.listed(id=port_id)
            if port["status"] == status:
                return dict(port)


def test_the_status_is_what_the_bound_host_reports(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_node("h1")
            (port,) = await world.create({"network_id": N1, "binding:host_id": "h1"})
            id_ = port["id"]
            before = world.rows("port", "SELECT last FROM sequence")

            await report(world, P1, "h1", PortStatus.UP)
            await report(world, id_, "h1", PortStatus.UP)
            up = await status_becomes(world, id_, "ACTIVE")
            assert up["revision_number"] == 2
            await report(world, id_, "h2", PortStatus.FAILED)
            await report(world, id_, "h1", PortStatus.FAILED)
            await status_becomes(world, id_, "ERROR")
            await report(world, id_, "h1", PortStatus.UP)
            await status_becomes(world, id_, "ACTIVE")

            assert world.rows("port", "SELECT last FROM sequence") == before
            moved = await world.update(id_, binding_host="h2")
            assert moved["status"] == "DOWN"
            await report(world, id_, "h2", PortStatus.UP)
            assert (await status_becomes(world, id_, "ACTIVE"))["binding:vif_type"] == "ovs"
            assert (await world.update(id_, binding_host=None))["status"] == "DOWN"

    asyncio.run(main())


def test_whether_a_gateways_next_hop_lives_is_shown_and_the_intent_log_is_told(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            gateway = HeldPort(id=P1, network_id=N1, device_owner=ROUTER_GATEWAY, device_id="r")
            await world.held.make(gateway)

            key = records.key("port", P1)

            async def told(status: PortStatus, next_hop: str) -> tuple[str, str | None]:
                await report(world, P1, "h1", status)
                async with asyncio.timeout(5):
                    while True:
                        if next_hop_of(await world.intent.get([key]), key) == next_hop:
                            break
                        await asyncio.sleep(0)
                (shown,) = await world.listed(id=P1)
                return shown["status"], shown.get("alcor:next_hop")

            assert await told(PortStatus.UP, "up") == ("ACTIVE", "up")
            assert await told(PortStatus.DOWN, "down") == ("DOWN", "down")
            assert await told(PortStatus.UNWATCHED, "") == ("ACTIVE", None)
            world.check()

    asyncio.run(main())


def next_hop_of(held: Mapping[str, Entry], key: str) -> str | None:
    """As the intent log has it; None: it has nothing of the port yet."""
    record = records.decode(key, held[key].value or b"") if key in held else None
    return record.next_hop if isinstance(record, PortRecord) else None
