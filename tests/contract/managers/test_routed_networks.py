"""Ports of networks whose subnets are of segments: where their hosts are, they have addresses."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import pytest
from tests.contract.managers.conftest import ADMIN

from alcor.contracts.resources import CreateRequest
from alcor.intent import records
from alcor.values.errors import Refusal

N1 = "11111111-0000-4000-8000-000000000001"
S1, S2, S6 = (f"22222222-0000-4000-8000-00000000000{n}" for n in (1, 2, 6))
found_s = 60.0
RACK1 = {"segment_id": N1, "physical_network": "rack1"}
RACK2 = {"segment_id": "33333333-0000-4000-8000-000000000002", "physical_network": "rack2"}


async def routed(world: Any, *, told: bool = True) -> None:
    """A network of two racks, with a host in each, and one that is in neither."""
    await world.add_network(N1)
    await world.add_subnet(S1, N1, "10.0.1.0/24", "10.0.1.2", "10.0.1.9", told=told, **RACK1)
    await world.add_subnet(S2, N1, "10.0.2.0/24", "10.0.2.2", "10.0.2.9", told=told, **RACK2)
    await world.add_node("h1", "rack1")
    await world.add_node("h2", "rack2", "other")
    await world.add_node("h3", "other")


def play(lives: Any, scene: Callable[[Any], Awaitable[None]], *, told: bool = True) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await routed(world, told=told)
            await scene(world)
            world.check()

    asyncio.run(main())


def addresses(port: dict[str, Any]) -> list[str]:
    return [each["ip_address"] for each in port["fixed_ips"]]


async def segment_told(world: Any, port: dict[str, Any]) -> str:
    """The segment that the log says that the port is on, once it says what the port shows."""
    await world.port.relay.published_all(1)
    key = records.key("port", port["id"])
    record = records.decode(key, (await world.intent.get([key]))[key].value)
    assert isinstance(record, records.PortRecord)
    return record.segment_id


@pytest.mark.parametrize("told", [True, False])
def test_a_port_gets_an_address_of_the_segment_that_its_host_is_on(lives: Any, told: bool) -> None:
    async def scene(world: Any) -> None:
        on_both = await world.create(
            {"network_id": N1, "binding:host_id": "h1"}, {"network_id": N1, "binding:host_id": "h2"}
        )

        assert [addresses(port) for port in on_both] == [["10.0.1.2"], ["10.0.2.2"]]
        assert [port["ip_allocation"] for port in on_both] == ["immediate"] * 2
        assert on_both[1]["alcor:segment"] == {
            "id": RACK2["segment_id"],
            "physical_network": "rack2",
        }
        assert await segment_told(world, on_both[1]) == RACK2["segment_id"]

    play(lives, scene, told=told)


def test_a_port_without_a_host_waits_for_its_address_until_it_has_one(lives: Any) -> None:
    async def scene(world: Any) -> None:
        (port,) = await world.create({"network_id": N1})
        assert (addresses(port), port["ip_allocation"]) == ([], "deferred")
        assert "alcor:segment" not in port

        bound = await world.update(port["id"], binding_host="h2")

        assert (addresses(bound), bound["ip_allocation"]) == (["10.0.2.2"], "deferred")
        assert bound["alcor:segment"]["physical_network"] == "rack2"

    play(lives, scene)


def test_a_host_on_no_segment_gets_no_port_of_the_network(lives: Any) -> None:
    async def scene(world: Any) -> None:
        for host in ("h3", "nobody"):
            with pytest.raises(Refusal) as refused:
                await world.create({"network_id": N1, "binding:host_id": host})
            assert refused.value.type == "HostNotConnectedToAnySegment"
        (port,) = await world.create({"network_id": N1})
        with pytest.raises(Refusal) as refused:
            await world.update(port["id"], binding_host="h3")
        assert refused.value.type == "HostNotConnectedToAnySegment"

    play(lives, scene)


def test_a_port_with_addresses_only_goes_to_hosts_of_their_segment(lives: Any) -> None:
    async def scene(world: Any) -> None:
        await world.add_node("h4", "rack2")
        (port,) = await world.create({"network_id": N1, "fixed_ips": [{"subnet_id": S2}]})
        assert (addresses(port), port["ip_allocation"]) == (["10.0.2.2"], "immediate")

        with pytest.raises(Refusal) as refused:
            await world.update(port["id"], binding_host="h1")
        assert refused.value.type == "HostNotCompatibleWithFixedIps"
        there = {"fixed_ips": [{"subnet_id": S1}], "binding:host_id": "h2"}
        with pytest.raises(Refusal) as refused:
            await world.create({"network_id": N1, **there})
        assert refused.value.type == "HostNotCompatibleWithFixedIps"

        for host in ("h2", "h4", ""):
            moved = await world.update(port["id"], binding_host=host)
            assert (moved["binding:host_id"], addresses(moved)) == (host, ["10.0.2.2"])

    play(lives, scene)


def test_a_machine_is_only_moved_within_its_segment(lives: Any) -> None:
    async def scene(world: Any) -> None:
        await world.add_node("h4", "rack1")
        (port,) = await world.create({"network_id": N1, "binding:host_id": "h1"})
        bindings = world.port.resources[1][1]
        waits = {"port_id": port["id"], "vnic_type": "normal", "profile": {}}

        with pytest.raises(Refusal) as refused:
            await bindings.create(CreateRequest(ADMIN, [waits | {"host": "h2"}]))
        assert refused.value.type == "HostNotCompatibleWithFixedIps"
        await bindings.create(CreateRequest(ADMIN, [waits | {"host": "h4"}]))

    play(lives, scene)


def test_a_port_has_addresses_of_one_segment_only(lives: Any) -> None:
    async def scene(world: Any) -> None:
        both = [{"subnet_id": S1}, {"subnet_id": S2}]
        with pytest.raises(Refusal) as refused:
            await world.create({"network_id": N1, "fixed_ips": both})
        assert refused.value.type == "FixedIpsSubnetsNotOnSameSegment"
        (port,) = await world.create({"network_id": N1, "fixed_ips": both[:1]})
        with pytest.raises(Refusal):
            await world.update(port["id"], fixed_ips=both)

        moved = await world.update(port["id"], fixed_ips=both[1:])

        assert addresses(moved) == ["10.0.2.2"]
        assert moved["alcor:segment"]["physical_network"] == "rack2"
        gone = await world.update(port["id"], fixed_ips=[])
        assert "alcor:segment" not in gone
        assert await segment_told(world, gone) == ""

    play(lives, scene)


def test_a_port_that_wants_no_address_is_on_the_segment_of_its_host(lives: Any) -> None:
    async def scene(world: Any) -> None:
        bare = {"network_id": N1, "fixed_ips": []}
        here, nowhere = await world.create(bare | {"binding:host_id": "h2"}, bare)
        assert here["alcor:segment"]["physical_network"] == "rack2"
        assert here["ip_allocation"] == "none"
        assert "alcor:segment" not in nowhere

        moved = await world.update(here["id"], binding_host="h1")

        assert moved["alcor:segment"]["physical_network"] == "rack1"
        assert addresses(moved) == []

    play(lives, scene)


def test_a_machine_makes_its_address_only_of_the_prefix_of_its_segment(lives: Any) -> None:
    async def scene(world: Any) -> None:
        (port,) = await world.create({"network_id": N1, "binding:host_id": "h1"})
        (other,) = await world.create({"network_id": N1, "binding:host_id": "h2"})
        slaac = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac", **RACK2}
        await world.add_subnet(S6, N1, "fd02::/64", "fd02::1", "fd02::ffff", **slaac)
        (new,) = await world.create({"network_id": N1, "binding:host_id": "h2"})

        deadline = monotonic() + found_s
        while len(addresses((await world.listed(id=other["id"]))[0])) < 2:
            assert monotonic() < deadline
            await asyncio.sleep(0.01)
        assert len(addresses(new)) == 2
        (elsewhere,) = await world.listed(id=port["id"])
        assert addresses(elsewhere) == ["10.0.1.2"]

    play(lives, scene)


def test_the_host_is_asked_where_it_is_when_it_has_been_given_another_wire(lives: Any) -> None:
    async def scene(world: Any) -> None:
        await world.add_node("h3", "rack1", told=False)

        (port,) = await world.create({"network_id": N1, "binding:host_id": "h3"})

        assert addresses(port) == ["10.0.1.2"]

    play(lives, scene)
