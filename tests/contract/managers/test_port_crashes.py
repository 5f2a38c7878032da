"""A crash between any two steps leaves nothing leased that no port holds, nor vice versa."""

import asyncio
from typing import Any

import pytest

from alcor.values.errors import Refusal

N1 = "11111111-0000-4000-8000-000000000001"
S4 = "44444444-0000-4000-8000-000000000001"
P1 = "99999999-0000-4000-8000-000000000001"


async def one_subnet(world: Any) -> None:
    await world.add_network(N1)
    await world.add_subnet(S4, N1, "10.0.0.0/29", "10.0.0.2", "10.0.0.6")


async def dies(work: Any) -> None:
    """The writer's task dies with the crash; whoever waits is told that the queue has stopped."""
    with pytest.raises(Refusal, match="stopped"):
        await work


def die_at_commit(world: Any, when: str, crash: type[BaseException]) -> None:
    """Let the port manager's next transaction die: `before` is undone, `after` is committed."""
    honest = world.port.database.write

    async def dying(work: Any) -> Any:
        if when == "before":
            raise crash
        await honest(work)
        raise crash

    world.port.database.write = dying


async def survivors(lives: Any) -> list[dict[str, Any]]:
    """What is there after the next start; all invariants hold, and all addresses can be had."""
    async with lives.life() as world:
        world.check()
        ports = await world.listed()
        held = sum(len(port["fixed_ips"]) for port in ports)
        made = await world.create(*[{"network_id": N1}] * (5 - held))
        world.check()
        if P1 not in {port["id"] for port in ports}:
            await world.create({"id": P1, "network_id": N1, "fixed_ips": []})
        assert len({ip["ip_address"] for p in (*ports, *made) for ip in p["fixed_ips"]}) == 5
        return list(ports)


@pytest.mark.parametrize(
    ("verb", "when"), [("lease", "before"), ("lease", "after"), ("block", "after")]
)
def test_a_create_that_dies_at_a_peer_leaves_nothing(
    lives: Any, verb: str, when: str, crash: type[BaseException]
) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            peer = world.macs if verb == "block" else world.ips
            peer.crash_at = (verb, when)
            await dies(world.create({"id": P1, "network_id": N1}, {"network_id": N1}))

        assert await survivors(lives) == []

    asyncio.run(main())


@pytest.mark.parametrize(("when", "count"), [("before", 0), ("after", 2)])
def test_a_create_that_dies_at_its_commit_is_whole_or_not_at_all(
    lives: Any, when: str, count: int, crash: type[BaseException]
) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            die_at_commit(world, when, crash)
            await dies(world.create({"network_id": N1}, {"network_id": N1}))

        assert len(await survivors(lives)) == count

    asyncio.run(main())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delete_that_dies_when_giving_back_is_finished_at_the_next_start(
    lives: Any, when: str
) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            await world.create({"id": P1, "network_id": N1}, {"network_id": N1})
            world.ips.crash_at = ("keep", when)
            await dies(world.delete(P1))

        assert len(await survivors(lives)) == 1

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["lease", "keep"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_update_that_dies_holds_what_its_row_says(lives: Any, verb: str, when: str) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            await world.create({"id": P1, "network_id": N1})
            world.ips.crash_at = (verb, when)
            new = [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.6"}]
            await dies(world.update(P1, fixed_ips=new))

        (port,) = await survivors(lives)
        assert len(port["fixed_ips"]) == (1 if verb == "lease" else 2)

    asyncio.run(main())


def test_a_failing_ip_manager_costs_a_retry_and_no_address(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            await world.create({"id": P1, "network_id": N1})
            world.ips.fail_at = "keep"
            await world.delete(P1)  # saved: the address is given back later
            world.ips.fail_at = "lease"
            with pytest.raises(ConnectionError):
                await world.create({"network_id": N1})

            world.ips.fail_at = None
            await world.port._writer.settle(10)
            world.check()

    asyncio.run(main())


def test_the_id_of_a_create_that_died_can_be_used_again_before_and_after_the_sweep(
    lives: Any,
) -> None:
    async def main() -> None:
        item = {"id": P1, "network_id": N1}
        async with lives.life() as world:
            await one_subnet(world)
            world.ips.crash_at = ("lease", "after")
            await dies(world.create(item))
        async with lives.life() as world:  # swept and fenced at start
            assert world.rows("port", "SELECT id FROM fence") == [(P1,)]
            (port,) = await world.create(item)
            lives.clock[0] += 1_000
            await world.ip._sweep(0)
            world.check()
            assert await world.listed() == [port]

    asyncio.run(main())


def test_a_sweep_spares_what_was_asked_for_again(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            world.ips.crash_at = ("lease", "after")
            await dies(world.create({"id": P1, "network_id": N1}))
        async with lives.life() as world:
            await world.create({"id": P1, "network_id": N1})
            rows = "SELECT trusted, renewed FROM lease"
            assert world.rows("ip", rows) == [(0, 0)]
            lives.clock[0] += 10
            await world.ip._sweep(0)
            assert world.rows("ip", rows) == [(1, 0)]
            await world.update(P1, fixed_ips=[{"subnet_id": S4}])
            assert world.rows("ip", rows) == [(0, 1)]
            world.check()

    asyncio.run(main())


@pytest.fixture
def crash() -> type[BaseException]:
    """The process dies here. Not an Exception: nothing of ours may catch it and go on."""
    return type("Crash", (BaseException,), {})
