"""Hosts are alive by their reports, and gone once they could have been heard for long enough."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.node.world import ADMIN, World, play

from alcor.contracts.peers import Ids, ZoneHints
from alcor.contracts.resources import CreateRequest, DeleteRequest, ListQuery, ListRequest
from alcor.values.errors import Unavailable
from alcor.values.zones import AvailabilityZoneNotFound


async def told(world: World) -> tuple[bool, bool]:
    """Whether the host is alive, and whether it is about to be."""
    record = (await world.nodes.nodes(Ids(["h1"]))).nodes[0]
    assert record.physical_networks == ("ext",)
    return record.alive, record.returning


async def return_(world: World) -> int:
    """A host with an uplink was gone and is heard of again; where the log says that."""
    await world.hear("h1", "192.0.2.1", uplinks=("ext",))
    assert await told(world) == (True, False)
    await world.hear("h1", "192.0.2.1", connected=False, uplinks=("ext",))
    await world.nodes.bury()
    assert await told(world) == (True, False)
    await world.listen(16)
    await world.nodes.bury()
    assert await told(world) == (False, False)
    await world.hear("h1", "192.0.2.1", uplinks=("ext",))
    await world.app.relay.rebuild()
    return (await world.log.get(["node/h1"]))["node/h1"].position


async def alive(world: World) -> bool:
    return bool((await world.listed(world.agents))["h1"]["alive"])


def test_a_host_is_dead_only_after_it_was_silent_for_a_while(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        await world.listen(1_000)
        assert await alive(world)  # It has nothing to say, but its stream is up.
        await world.hear("h1", "192.0.2.1", connected=False)
        await world.listen(15)
        assert await alive(world)
        await world.listen(1)
        assert not await alive(world)
        await world.hear("h1", "192.0.2.1")
        assert await alive(world)

    play(tmp_path, scene)


def test_a_clock_that_is_put_back_keeps_no_dead_host_alive(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        world.now_s -= 3_600
        assert await alive(world)  # it is connected: no clock is asked
        await world.hear("h1", "192.0.2.1", connected=False)
        assert await alive(world)
        world.now_s -= 3_600
        assert await alive(world)  # nor is a host dead for that: it is silent since a moment
        await world.listen(15)
        assert await alive(world)
        await world.listen(1)
        assert not await alive(world)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("by_s", "takes_over"),
    [
        pytest.param(-1, False, id="it starts, and its clock is put back"),
        pytest.param(3_600, True, id="it takes over, and has waited for long"),
    ],
)
def test_who_begins_to_lead_gives_hosts_the_time_to_be_heard(
    tmp_path: Path, by_s: int, takes_over: bool
) -> None:
    async def known(world: World) -> None:
        await world.hear("h1", "192.0.2.1", uplinks=("ext",))

    async def leads(world: World) -> None:
        world.now_s += by_s
        if takes_over:
            await world.app.recover()
        await world.nodes.bury()
        assert await told(world) == (True, False)
        await world.listen(16)
        await world.nodes.bury()
        assert await told(world) == (False, False)

    play(tmp_path, known)
    play(tmp_path, leads)


def test_a_host_is_silent_once_nothing_was_heard_of_it_for_long_enough(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        async def silent() -> list[str]:
            return list((await world.nodes.silent(Ids(["h1", "h2", "never"]))).ids)

        await world.beat()
        await world.hear("h1", "192.0.2.1")
        await world.hear("h2", "192.0.2.2")
        await world.hear("h2", "192.0.2.2", connected=False)
        await world.listen(16)
        agents = await world.listed(world.agents)
        assert {host: each["alive"] for host, each in agents.items()} == {"h1": True, "h2": False}
        assert await silent() == []  # ports are bound to it for longer
        await world.listen(59)
        assert await silent() == []
        await world.listen(1)
        assert await silent() == ["h2", "never"]
        await world.hear("h2", "192.0.2.2")
        assert await silent() == ["never"]

    play(tmp_path, scene)


def test_no_host_is_silent_while_there_is_no_delivery_that_could_hear_it(tmp_path: Path) -> None:
    """All deliveries were away for a while: no port could be bound, and nothing left by uplinks."""

    async def scene(world: World) -> None:
        async def seen() -> tuple[list[str], bool, str]:
            agent = (await world.listed(world.agents))["h1"]
            silent = (await world.nodes.silent(Ids(["h1"]))).ids
            return list(silent), agent["alive"], agent["heartbeat_timestamp"]

        await world.beat()
        await world.hear("h1", "192.0.2.1", uplinks=("ext",))
        heard = (await seen())[2]
        await world.hear("h1", "192.0.2.1", uplinks=("ext",), connected=False)
        await world.beat(lives=False)
        world.now_s += 3_600
        await world.nodes.bury()
        assert await seen() == ([], True, heard)
        assert await told(world) == (True, False)

        await world.listen(15)  # hosts have time to come to one that is there again
        await world.nodes.bury()
        assert await told(world) == (True, False)
        await world.listen(1)
        await world.nodes.bury()
        assert await told(world) == (False, False)
        await world.listen(60)
        assert await seen() == (["h1"], False, heard)

    play(tmp_path, scene)


def test_of_deliveries_that_were_killed_nobody_says_that_they_hear_hosts_now(
    tmp_path: Path,
) -> None:
    async def scene(world: World) -> None:
        async def heard() -> str:
            node = (await world.listed(world.nodes))["h1"]
            assert node["alive"]
            return str(node["heartbeat_timestamp"])

        await world.hear("h1", "192.0.2.1")
        await world.listen(60)
        last = await heard()
        world.now_s += 14
        assert await heard() > last
        world.now_s += 2
        assert await heard() == last
        await world.listen(1)
        assert await heard() > last

    play(tmp_path, scene)


def test_a_clock_that_is_put_back_makes_no_host_wait_to_be_alive_again(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await return_(world)
        await world.nodes.bury()
        world.now_s -= 3_600
        await world.nodes.bury()
        assert await told(world) == (False, True)
        await world.listen(31)
        await world.nodes.bury()
        assert await told(world) == (True, False)

    play(tmp_path, scene)


def test_what_a_write_saved_counts_though_its_answer_was_lost(tmp_path: Path) -> None:
    """That the database went away in a commit was taken for that nothing was saved."""

    async def scene(world: World) -> None:
        await world.nodes.bury()
        database: Any = world.app.database
        write = database.write

        async def lost(work: Any) -> Any:
            await write(work)
            raise Unavailable("the database of node went away in a commit")

        database.write = lost
        new = {"id": "h1", "tunnel_ip": "192.0.2.1", "description": ""}
        with pytest.raises(Unavailable):
            await world.nodes.create(CreateRequest(ADMIN, [new | {"physical_networks": ("ext",)}]))
        database.write = write
        await world.listen(16)
        await world.nodes.bury()

        assert await told(world) == (False, False)

    play(tmp_path, scene)


def test_a_host_with_an_uplink_that_was_gone_is_alive_when_it_has_caught_up(
    tmp_path: Path,
) -> None:
    async def scene(world: World) -> None:
        position = await return_(world)
        await world.nodes.bury()
        assert await told(world) == (False, True)

        await world.hear("h1", "192.0.2.1", uplinks=("ext",), reached=position - 1)
        await world.nodes.bury()
        assert await told(world) == (False, True)
        await world.hear("h1", "192.0.2.1", uplinks=("ext",), reached=position)
        await world.nodes.bury()
        assert await told(world) == (True, False)

    play(tmp_path, scene)


def test_a_host_that_does_not_catch_up_is_alive_all_the_same_after_a_while(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await return_(world)
        await world.nodes.bury()
        await world.listen(31)
        await world.nodes.bury()
        assert await told(world) == (True, False)

    play(tmp_path, scene)


def test_a_host_that_goes_while_it_returns_is_gone(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await return_(world)
        await world.hear("h1", "192.0.2.1", connected=False, uplinks=("ext",))
        await world.listen(16)
        await world.nodes.bury()
        assert await told(world) == (False, False)

    play(tmp_path, scene)


def test_a_look_for_gone_hosts_reads_no_table_however_many_there_are(tmp_path: Path) -> None:
    """It comes every second, and read all nodes: with 30,000 the managers had half a core of it."""

    async def scene(world: World) -> None:
        for number in range(20):
            uplinks = ("ext",) if number < 2 else ()
            await world.hear(f"h{number}", f"192.0.2.{number}", uplinks=uplinks)
        await world.nodes.bury()
        reads = 0
        database: Any = world.app.database
        read = database.read

        async def counted(work: Any) -> Any:
            nonlocal reads
            reads += 1
            return await read(work)

        database.read = counted
        for number in (3, 4):  # two have an uplink now, one has none any more, one is removed
            await world.hear(f"h{number}", f"192.0.2.{number}", uplinks=("ext",))
        await world.hear("h0", "192.0.2.0")
        for number in range(5):
            await world.hear(f"h{number}", f"192.0.2.{number}", connected=False)
        await world.nodes.delete(DeleteRequest(ADMIN, "h4"))
        await world.listen(16)
        reads = 0
        await world.nodes.bury()
        await world.nodes.bury()
        await world.nodes.check_zones(ZoneHints(("nova",)))
        with pytest.raises(AvailabilityZoneNotFound):
            await world.nodes.check_zones(ZoneHints(("east",)))
        zones = await world.app.resources[2][1].list_page(ListRequest(ADMIN, ListQuery()))
        assert {msgspec.json.decode(each)["state"] for each in zones.items} == {"available"}
        assert reads == 0
        records = (await world.nodes.nodes(Ids([f"h{number}" for number in range(20)]))).nodes
        assert {record.id for record in records if not record.alive} == {"h1", "h3"}

    play(tmp_path, scene)
