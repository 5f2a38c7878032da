"""What clients may rely on when they create, change and delete ports."""

import asyncio
from typing import Any

import pytest
from tests.contract.managers.families import N1, N2, P1, P2, S4, S4B, S6, two_families

from alcor.contracts.peers import Ids
from alcor.contracts.resources import Caller
from alcor.intent import records
from alcor.intent.records import PortRecord
from alcor.values.errors import Refusal


def addresses(port: dict[str, Any]) -> list[str]:
    return [ip["ip_address"] for ip in port["fixed_ips"]]


async def refused(work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await work
    return caught.value.type


def test_a_port_gets_an_address_of_each_family(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)

            (port,) = await world.create({"network_id": N1, "name": "web"})

            assert addresses(port) == ["10.0.0.2", "fd00::2"]
            assert port["mac_address"].startswith("fa:16:3e:")
            assert (port["status"], port["binding:vif_type"]) == ("DOWN", "unbound")
            assert port["tenant_id"] == port["project_id"] == "p1"
            assert await world.listed(name="web") == [port]
            world.check()

    asyncio.run(main())


def test_the_intent_log_is_told_what_was_saved(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            (port,) = await world.create({"network_id": N1, "binding:host_id": "h1"})
            key = records.key("port", port["id"])
            await world.port.relay.published_all(1)
            told = (await world.intent.get([key]))[key]

            record = records.decode(key, told.value)

            assert isinstance(record, PortRecord)
            assert (record.host, told.revision, told.trace) == ("h1", 1, "req-1")
            assert [ip.ip_address for ip in record.fixed_ips] == addresses(port)
            assert await world.delete(port["id"]) == "port:2"
            await world.port.relay.published_all(2)
            assert key not in await world.intent.get([key])

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fixed_ips", "got"),
    [
        ([], []),
        ([{"subnet_id": S4}], ["10.0.0.2"]),
        ([{"ip_address": "10.0.0.5"}], ["10.0.0.5"]),
        ([{"subnet_id": S6, "ip_address": "fd00::99"}], ["fd00::99"]),
        ([{"subnet_id": S4}, {"ip_address": "10.0.0.2"}], ["10.0.0.3", "10.0.0.2"]),
        ([{"subnet_id": S4}, {"subnet_id": S4}], ["10.0.0.2", "10.0.0.3"]),
    ],
)
def test_fixed_ips_are_what_was_asked_for(lives: Any, fixed_ips: Any, got: list[str]) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)

            (port,) = await world.create({"network_id": N1, "fixed_ips": fixed_ips})

            assert addresses(port) == got
            world.check()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fixed_ips", "type_"),
    [
        ([{"ip_address": "192.0.2.1"}], "InvalidIpForNetwork"),
        ([{"subnet_id": S4, "ip_address": "10.0.1.1"}], "InvalidIpForSubnet"),
        ([{"ip_address": "10.0.0.0"}], "InvalidIpForSubnet"),
        ([{"ip_address": "10.0.0.7"}], "InvalidIpForSubnet"),
        ([{"subnet_id": S4B}], "SubnetNotFound"),
        ([{}], "InvalidInput"),
        ([{"ip_address": "10.0.0.3"}, {"ip_address": "10.0.0.3"}], "InvalidInput"),
        ([{"subnet_id": S6}] * 6, "InvalidInput"),
        ([{"ip_address": "10.0.0.300"}], "HTTPBadRequest"),
    ],
)
def test_wrong_fixed_ips_are_refused_and_leave_nothing(
    lives: Any, fixed_ips: Any, type_: str
) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)

            got = await refused(world.create({"network_id": N1, "fixed_ips": fixed_ips}))

            assert got == type_
            assert await world.listed() == []
            world.check()

    asyncio.run(main())


def test_a_bulk_is_all_or_nothing(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)

            got = await refused(world.create(*[{"network_id": N1}] * 6))

            assert got == "IpAddressGenerationFailure"
            assert await world.listed() == []
            world.check()
            assert len(await world.create(*[{"network_id": N1}] * 5)) == 5
            world.check()

    asyncio.run(main())


def test_a_refused_request_hurts_no_other_of_its_batch(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            taken = {"network_id": N1, "mac_address": "fa:16:3e:00:00:02"}

            answers = await asyncio.gather(
                world.create({"network_id": N1}),
                world.create({"network_id": N2}),
                world.create(taken, {"network_id": N1}),
                world.create({"network_id": N1, "fixed_ips": [{"ip_address": "192.0.2.1"}]}),
                world.create(taken),
                world.create({"network_id": N1}),
                return_exceptions=True,
            )

            found = [a.type if isinstance(a, Refusal) else a for a in answers]
            types = [len(each) if isinstance(each, list) else each for each in found]
            assert types == [1, "NetworkNotFound", 2, "InvalidIpForNetwork", "MacAddressInUse", 1]
            macs = [port["mac_address"] for port in await world.listed()]
            assert len(set(macs)) == 4
            world.check()

    asyncio.run(main())


def test_an_address_and_a_mac_are_given_out_once(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            wish = {"network_id": N1, "fixed_ips": [{"ip_address": "10.0.0.4"}]}
            await world.create(wish | {"mac_address": "02:00:00:00:00:01"})

            assert await refused(world.create(wish)) == "IpAddressAlreadyAllocated"
            same_mac = {"network_id": N1, "mac_address": "02:00:00:00:00:01"}
            assert await refused(world.create(same_mac)) == "MacAddressInUse"
            await world.add_network(N2)
            assert await world.create(same_mac | {"network_id": N2})
            world.check()

    asyncio.run(main())


def test_a_repeated_id_is_refused_and_the_port_keeps_its_addresses(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            item = {"id": P1, "network_id": N1}
            (port,) = await world.create(item)

            assert await refused(world.create(item)) == "PortIdInUse"
            assert await refused(world.create(item | {"id": P2}, item)) == "PortIdInUse"
            twice = await asyncio.gather(
                *[world.create(item | {"id": P2}) for _ in range(2)], return_exceptions=True
            )

            assert sorted(isinstance(answer, Refusal) for answer in twice) == [False, True]
            assert (await world.listed(id=P1)) == [port]
            world.check()

    asyncio.run(main())


def test_a_given_back_address_can_be_asked_for_again(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            item = {"network_id": N1, "id": P1, "fixed_ips": [{"ip_address": "10.0.0.4"}]}
            for _ in range(3):
                await world.create(item)
                await world.delete(P1)

            assert await refused(world.delete(P1)) == "PortNotFound"
            world.check()

    asyncio.run(main())


def test_an_update_leases_what_is_new_and_gives_back_what_is_not_kept(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            (port,) = await world.create({"network_id": N1})
            id_ = port["id"]

            both = await world.update(id_, fixed_ips=[{"subnet_id": S4}, {"subnet_id": S4}])
            assert addresses(both) == ["10.0.0.2", "10.0.0.3"]
            assert both["revision_number"] == 2
            world.check()
            moved = await world.update(id_, fixed_ips=[{"ip_address": "10.0.0.6"}])
            assert addresses(moved) == ["10.0.0.6"]
            await world.create({"network_id": N1, "fixed_ips": [{"ip_address": "10.0.0.5"}]})
            wrong = world.update(id_, fixed_ips=[{"ip_address": "10.0.0.5"}, {"subnet_id": S6}])
            assert await refused(wrong) == "IpAddressAlreadyAllocated"
            world.check()
            assert addresses(await world.update(id_, fixed_ips=[])) == []
            world.check()

    asyncio.run(main())


def test_an_update_of_what_is_the_same_changes_no_revision(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            (port,) = await world.create({"network_id": N1, "name": "web"})

            same = await world.update(port["id"], name="web", fixed_ips=port["fixed_ips"])

            assert same == port
            changed = await world.update(port["id"], name="db", if_revision=1)
            assert (changed["name"], changed["revision_number"]) == ("db", 2)
            stale = world.update(port["id"], name="x", if_revision=1)
            assert await refused(stale) == "RevisionNumberConstraintFailed"

    asyncio.run(main())


def test_a_mac_changes_only_while_unbound_and_when_free(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_node("h1")
            one, two = await world.create(
                {"network_id": N1}, {"network_id": N1, "binding:host_id": "h1"}
            )
            free, taken = "02:00:00:00:00:09", two["mac_address"]

            assert (await world.update(one["id"], mac_address=free))["mac_address"] == free
            assert await refused(world.update(one["id"], mac_address=taken)) == "MacAddressInUse"
            assert await refused(world.update(two["id"], mac_address=free)) == "PortBound"

    asyncio.run(main())


def test_a_fenced_parent_gets_no_port_and_a_parent_with_ports_is_not_fenced(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_network(N2)
            (port,) = await world.create({"network_id": N1, "fixed_ips": [{"subnet_id": S4}]})

            assert (await world.fences.fence_networks(Ids([N1, N2]))).ids == [N1]
            assert (await world.fences.fence_subnets(Ids([S4, S6]))).ids == [S4]

            assert await refused(world.create({"network_id": N2})) == "NetworkNotFound"
            six = [{"subnet_id": S6}]
            assert await refused(world.create({"network_id": N1, "fixed_ips": six})) == "Conflict"
            assert await refused(world.update(port["id"], fixed_ips=six)) == "Conflict"
            await world.fences.lift(Ids([N2, S6]))
            assert await world.create({"network_id": N2}, {"network_id": N1, "fixed_ips": six})
            world.check()

    asyncio.run(main())


def test_what_the_copy_does_not_know_is_asked_of_its_owner(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.add_network(N1, told=False)
            await world.add_subnet(S4, N1, "10.0.0.0/24", "10.0.0.2", "10.0.0.9", told=False)

            (port,) = await world.create({"network_id": N1})
            assert addresses(port) == ["10.0.0.2"]
            named = {"network_id": N1, "fixed_ips": [{"ip_address": "10.0.0.77"}]}
            assert addresses((await world.create(named))[0]) == ["10.0.0.77"]

    asyncio.run(main())


def test_a_subnet_that_the_copy_does_not_know_yet_is_used_all_the_same(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.drop_subnet(S6, told=False)
            (port,) = await world.create({"network_id": N1})
            assert len(addresses(port)) == 1

            await world.add_subnet(S4B, N1, "10.9.0.0/24", "10.9.0.2", "10.9.0.9", told=False)
            four = await world.create(*[{"network_id": N1}] * 5)

            assert [addresses(port) for port in four][-1] == ["10.9.0.2"]
            world.check()

    asyncio.run(main())


def test_when_the_copy_knows_everything_nobody_is_asked(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            await world.add_node("h1")

            await world.create({"network_id": N1, "binding:host_id": "h1"})

            assert world.owners.asked == []
            assert world.ips.calls.count("lease") == 1

    asyncio.run(main())


def test_a_project_sees_and_touches_its_own_ports_only(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            mine, theirs = Caller(project_id="p1"), Caller(project_id="p2")
            (port,) = await world.create({"network_id": N1}, caller=mine)

            assert await world.listed(theirs) == []
            assert await refused(world.delete(port["id"], theirs)) == "PortNotFound"
            wrong = world.update(port["id"], caller=theirs, fixed_ips=[])
            assert await refused(wrong) == "PortNotFound"
            foreign = world.create({"network_id": N1}, caller=theirs)
            assert await refused(foreign) == "NetworkNotFound"
            assert await world.listed(mine, fixed_ips__ip_address="10.0.0.2") == [port]
            world.check()

    asyncio.run(main())


@pytest.mark.parametrize(
    "field",
    [
        {"security_groups": ["web"]},
        {"dns_name": "-web"},
        {"mac_address": "01:00:00:00:00:00"},
        {"mac_address": "00:00:00:00:00:00"},
        {"status": "ACTIVE"},
        {"tags": ["a", "a"]},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_what_hosts_do_not_do_is_refused(lives: Any, field: dict[str, Any]) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)

            assert await refused(world.create({"network_id": N1} | field)) == "HTTPBadRequest"

    asyncio.run(main())


def test_mac_blocks_follow_each_other_without_a_repeat(lives: Any) -> None:
    async def main() -> None:
        macs: list[str] = []
        for _ in range(2):  # two lives: the place in the block is kept
            async with lives.life() as world:
                await world.add_network(N1)
                for _ in range(3):
                    made = await world.create(*[{"network_id": N1, "fixed_ips": []}] * 7)
                    macs += [port["mac_address"] for port in made]

        first = int(macs[0].replace(":", ""), 16)
        assert [int(mac.replace(":", ""), 16) - first for mac in macs] == list(range(42))

    asyncio.run(main())


def test_a_chosen_mac_that_a_client_has_taken_is_passed_over(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.add_network(N1)
            item = {"network_id": N1, "fixed_ips": []}
            await world.create(item | {"mac_address": "fa:16:3e:00:00:01"})

            made = await world.create(item, item | {"mac_address": "fa:16:3e:00:00:03"}, item)

            macs = [port["mac_address"] for port in made]
            assert len({*macs, "fa:16:3e:00:00:01"}) == 4

    asyncio.run(main())


def test_lists_are_filtered_by_address_subnet_and_any_scalar(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await two_families(world)
            four, six = await world.create(
                {"network_id": N1, "fixed_ips": [{"subnet_id": S4}], "device_id": "vm"},
                {"network_id": N1, "fixed_ips": [{"subnet_id": S6}], "admin_state_up": False},
            )

            assert await world.listed(fixed_ips__subnet_id=S4) == [four]
            assert await world.listed(fixed_ips__ip_address="fd00::2") == [six]
            assert await world.listed(device_id="vm") == [four]
            assert await world.listed(admin_state_up=False) == [six]
            assert await world.listed(mac_address=six["mac_address"], status="DOWN") == [six]

    asyncio.run(main())


def test_a_full_queue_refuses_for_now(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.add_network(N1)
            item = {"network_id": N1, "fixed_ips": []}
            world.port.queue._queue_weight_max = 5

            answers = await asyncio.gather(
                *[world.create(item, item) for _ in range(6)], return_exceptions=True
            )

            kinds = {str(a.kind) for a in answers if isinstance(a, Refusal)}
            made = sum(len(a) for a in answers if isinstance(a, list))
            assert kinds == {"unavailable"}
            assert made == len(await world.listed()) > 0
            world.check()

    asyncio.run(main())
