"""Nodes: registered by their agents' hello, alive by their reports, no two with one tunnel."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from tests.fixtures import manager
from tests.fixtures.foundation import foundation

from alcor.contracts.peers import Counts, Ids, PortPeer
from alcor.contracts.resources import Caller, DeleteRequest, ListQuery, ListRequest
from alcor.goal_state.reports import HostReport, delivery_beat_every_s, delivery_key, host_key
from alcor.keyed_log.log import Entry
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.node.app import NodeApp, NodeSettings
from alcor.managers.node.model import NodeInUse
from alcor.values.capacity import Bandwidth, Capacity, Inventory, PacketRates
from alcor.values.errors import Unavailable

ADMIN = Caller(project_id="p", admin=True)


class Ports:
    """How many ports are bound to hosts: as much of the port manager as is asked."""

    def __init__(self) -> None:
        self.count_by_host: dict[str, int] = {}

    async def bound_to(self, request: Ids) -> Counts:
        return Counts({h: n for h, n in self.count_by_host.items() if h in request.ids})


class Away:
    """A store whose database does not answer yet."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.is_away = True

    def __getattr__(self, name: str) -> Any:
        if self.is_away:
            raise Unavailable("the database of node does not answer")
        return getattr(self._store, name)


class World:
    def __init__(self, folder: Path, auto_register: bool = True) -> None:
        self.ports = Ports()
        self.now_s = 1_000.0
        settings = NodeSettings(
            auto_register=auto_register, silence_s_max=15, binding_silence_s_max=75
        )
        self.log = MemoryLog(1)
        ports = cast(PortPeer, self.ports)
        self.app = NodeApp(foundation(folder, self.log, clock=lambda: self.now_s), ports, settings)
        self.nodes: Any = self.app.resources[0][1]
        self.agents: Any = self.app.resources[1][1]

    async def beat(self, *, lives: bool = True) -> None:
        """A delivery says that it lives, or that it ends."""
        value = b"" if lives else None
        await self.app.listening.hear([Entry(delivery_key(1), value, 1, "", 1)])

    async def listen(self, seconds: float) -> None:
        """Time passes, and a delivery lives."""
        await self.beat()
        while seconds > 0:
            step = min(seconds, delivery_beat_every_s)
            self.now_s += step
            seconds -= step
            await self.beat()

    async def hear(
        self,
        host: str,
        tunnel_ip: str = "",
        connected: bool = True,
        uplinks: tuple[str, ...] = (),
        reached: int = 0,
        capacity: Capacity | None = None,
        bridge: str = "",
        datapath_type: str = "",
        fault: str = "",
    ) -> None:
        report = HostReport(
            host=host,
            epoch=1,
            position=7,
            tunnel_ip=tunnel_ip,
            connected=connected,
            physical_networks=uplinks,
            life=self.log.life,
            reached=reached,
            capacity=capacity,
            bridge=bridge,
            datapath_type=datapath_type,
            fault=fault,
        )
        value = msgspec.msgpack.encode(report)
        await self.nodes.hear([Entry(host_key(host), value, 1, "", 1)])

    async def listed(self, manager: Any, caller: Caller = ADMIN) -> dict[str, Any]:
        reply = await manager.list_page(ListRequest(caller, ListQuery()))
        found = [msgspec.json.decode(raw) for raw in reply.items]
        return {each.get("host", each["id"]): each for each in found}


def play(folder: Path, scene: Callable[[World], Awaitable[None]], **how: bool) -> None:
    manager.play(lambda: World(folder, **how), scene)


def test_a_host_that_says_hello_becomes_a_node(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        node = (await world.listed(world.nodes))["h1"]
        assert (node["tunnel_ip"], node["alive"], node["applied"]) == ("192.0.2.1", True, 7)
        await world.hear("h1", "192.0.2.1", connected=False)
        await world.hear("h1", "192.0.2.9")
        assert (await world.listed(world.nodes))["h1"]["tunnel_ip"] == "192.0.2.9"

    play(tmp_path, scene)


def test_a_hosts_bridge_is_as_it_said_last(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        async def bridge(**said: str) -> tuple[str, str]:
            await world.hear("h1", "192.0.2.1", **said)  # type: ignore[arg-type]
            (record,) = (await world.nodes.nodes(Ids(["h1"]))).nodes
            node = (await world.listed(world.nodes))["h1"]
            shown = (await world.listed(world.agents))["h1"]["configurations"]
            names = node["bridge"], node["datapath_type"]
            assert names == (record.bridge, record.datapath_type)
            assert names == (shown["integration_bridge"], shown["datapath_type"])
            return names

        assert await bridge() == ("", "")  # its agent is an older one
        assert await bridge(bridge="br7") == ("br7", "")
        assert await bridge(bridge="br7", datapath_type="netdev") == ("br7", "netdev")
        await world.hear("h1", "192.0.2.1", connected=False, bridge="br7", datapath_type="netdev")
        assert await bridge(bridge="br7") == ("br7", "netdev")  # it has not looked yet
        assert await bridge(bridge="br-int", datapath_type="system") == ("br-int", "system")

    play(tmp_path, scene)


def test_that_a_hosts_switch_hangs_is_seen(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        for fault in ("", "the switch does not answer", ""):
            await world.hear("h1", "192.0.2.1", fault=fault)
            assert (await world.listed(world.nodes))["h1"]["fault"] == fault

    play(tmp_path, scene)


def test_an_operator_may_want_to_name_hosts_himself(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        assert await world.listed(world.nodes) == {}

    play(tmp_path, scene, auto_register=False)


def test_a_second_host_with_a_tunnel_endpoint_is_not_registered(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        await world.hear("h2", "192.0.2.1")
        assert (await world.listed(world.nodes)).keys() == {"h1"}

    play(tmp_path, scene)


def test_a_host_that_was_refused_is_registered_once_its_tunnel_endpoint_is_free(
    tmp_path: Path,
) -> None:
    """A host is called otherwise from now on: its old name is deleted, or gets another address."""

    async def scene(world: World) -> None:
        await world.hear("old", "192.0.2.1")
        await world.hear("old", "192.0.2.1", connected=False)
        await world.hear("new", "192.0.2.1")
        await world.hear("newer", "192.0.2.1")
        await world.hear("newer", "192.0.2.1", connected=False)
        await world.nodes.register_again()
        assert (await world.listed(world.nodes)).keys() == {"old"}

        await world.nodes.delete(DeleteRequest(ADMIN, "old"))
        await world.nodes.register_again()

        assert (await world.listed(world.nodes)).keys() == {"new"}

    play(tmp_path, scene)


def test_hosts_that_said_hello_while_the_database_was_away_are_registered_once_it_is_back(
    tmp_path: Path,
) -> None:
    async def scene(world: World) -> None:
        database = Away(world.nodes._store)
        world.nodes._store = database
        await world.hear("h1", "192.0.2.1")
        await world.hear("h2", "192.0.2.2")
        await world.nodes.register_again()
        database.is_away = False
        assert await world.listed(world.nodes) == {}

        await world.nodes.register_again()
        assert (await world.listed(world.nodes)).keys() == {"h1", "h2"}

    play(tmp_path, scene)


def test_a_host_that_is_connected_is_not_deleted_as_its_tunnels_would_go(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        agent = (await world.listed(world.agents))["h1"]["id"]
        for kept, id_ in ((world.nodes, "h1"), (world.agents, agent)):
            with pytest.raises(NodeInUse, match="its agent is connected"):
                await kept.delete(DeleteRequest(ADMIN, id_))

        await world.hear("h1", "192.0.2.1", connected=False)
        await world.agents.delete(DeleteRequest(ADMIN, agent))

        assert await world.listed(world.nodes) == {}
        await world.hear("h1", "192.0.2.1")
        assert (await world.listed(world.nodes)).keys() == {"h1"}

    play(tmp_path, scene)


def test_a_host_that_ports_are_bound_to_is_not_deleted(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        await world.hear("h1", "192.0.2.1", connected=False)
        world.ports.count_by_host = {"h1": 3}
        with pytest.raises(NodeInUse, match="3 ports are bound to it"):
            await world.nodes.delete(DeleteRequest(ADMIN, "h1"))

        world.ports.count_by_host = {}
        await world.nodes.delete(DeleteRequest(ADMIN, "h1"))

        assert await world.listed(world.nodes) == {}

    play(tmp_path, scene)


def test_a_host_is_dead_only_after_it_was_silent_for_a_while(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        async def alive() -> bool:
            return bool((await world.listed(world.agents))["h1"]["alive"])

        await world.hear("h1", "192.0.2.1")
        await world.listen(1_000)
        assert await alive()  # It has nothing to say, but its stream is up.
        await world.hear("h1", "192.0.2.1", connected=False)
        await world.listen(15)
        assert await alive()
        await world.listen(1)
        assert not await alive()
        await world.hear("h1", "192.0.2.1")
        assert await alive()

    play(tmp_path, scene)


def test_a_clock_that_is_put_back_keeps_no_dead_host_alive(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        async def alive() -> bool:
            return bool((await world.listed(world.agents))["h1"]["alive"])

        await world.hear("h1", "192.0.2.1")
        world.now_s -= 3_600
        assert await alive()  # it is connected: no clock is asked
        await world.hear("h1", "192.0.2.1", connected=False)
        assert await alive()
        world.now_s -= 3_600
        assert await alive()  # nor is a host dead for that: it is silent since a moment
        await world.listen(15)
        assert await alive()
        await world.listen(1)
        assert not await alive()

    play(tmp_path, scene)


def test_a_clock_that_is_put_back_at_a_start_buries_no_host_that_is_about_to_be_heard(
    tmp_path: Path,
) -> None:
    async def known(world: World) -> None:
        await world.hear("h1", "192.0.2.1", uplinks=("ext",))

    async def restarted(world: World) -> None:
        world.now_s -= 1
        await world.nodes.bury()
        assert await told(world) == (True, False)
        await world.listen(16)
        await world.nodes.bury()
        assert await told(world) == (False, False)

    play(tmp_path, known)
    play(tmp_path, restarted)


def test_who_waited_long_to_lead_gives_hosts_the_time_to_be_heard(tmp_path: Path) -> None:
    async def known(world: World) -> None:
        await world.hear("h1", "192.0.2.1", uplinks=("ext",))

    async def takes_over(world: World) -> None:
        world.now_s += 3_600
        await world.app.recover()
        await world.nodes.bury()
        assert await told(world) == (True, False)
        await world.listen(16)
        await world.nodes.bury()
        assert await told(world) == (False, False)

    play(tmp_path, known)
    play(tmp_path, takes_over)


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


def test_agents_keep_their_id(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        first = (await world.listed(world.agents))["h1"]["id"]
        assert (await world.listed(world.agents))["h1"]["id"] == first

    play(tmp_path, scene)


def test_p142_the_times_of_agents_are_written_as_neutron_does(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        agent = (await world.listed(world.agents))["h1"]
        for name in ("heartbeat_timestamp", "created_at", "started_at"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", agent[name])

    play(tmp_path, scene)


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


def test_what_a_host_can_guarantee_is_shown_in_the_words_of_neutrons_agents(tmp_path: Path) -> None:
    capacity = Capacity(
        hypervisor="h1.example",
        bandwidths=(
            Bandwidth("br-ex", "physnet1", egress=10_000, ingress=20_000),
            Bandwidth("rp_tunnelled", tunnels=True, egress=5_000),
        ),
        bandwidth_inventory=Inventory(allocation_ratio=1.5),
        packet_rates=PacketRates(any=1_000),
    )

    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1", uplinks=("physnet1", "physnet2"), capacity=capacity)
        node = (await world.listed(world.nodes))["h1"]
        assert node["bandwidths"][1] == {
            "device": "rp_tunnelled",
            "physical_network": "",
            "tunnels": True,
            "egress": 5_000,
            "ingress": None,
        }
        said = (await world.listed(world.agents))["h1"]["configurations"]
        assert said["bridge_mappings"] == {"physnet1": "br-ex", "physnet2": ""}
        assert said["resource_provider_bandwidths"] == {
            "br-ex": {"egress": 10_000, "ingress": 20_000},
            "rp_tunnelled": {"egress": 5_000, "ingress": None},
        }
        names = {"br-ex": "h1.example", "rp_tunnelled": "h1.example"}
        assert said["resource_provider_hypervisors"] == names
        assert said["resource_provider_inventory_defaults"] == {
            "allocation_ratio": 1.5,
            "min_unit": 1,
            "step_size": 1,
            "reserved": 0,
        }
        packets = "resource_provider_packet_processing"
        assert said[f"{packets}_without_direction"] == {"h1.example": {"any": 1_000}}
        assert said[f"{packets}_with_direction"] == {}

        await world.hear("h1", "192.0.2.1", uplinks=("physnet1",))
        assert (await world.listed(world.nodes))["h1"]["bandwidths"] == []
        assert (await world.nodes.nodes(Ids(["h1"]))).nodes[0].capacity == Capacity()

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
        assert reads == 0
        records = (await world.nodes.nodes(Ids([f"h{number}" for number in range(20)]))).nodes
        assert {record.id for record in records if not record.alive} == {"h1", "h3"}

    play(tmp_path, scene)
