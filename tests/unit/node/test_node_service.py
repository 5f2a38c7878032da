"""Nodes: registered by their agents' hello, no two with one tunnel, shown as agents."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.node.world import ADMIN, Away, World, play

from alcor.contracts.peers import Ids
from alcor.contracts.resources import DeleteRequest, Filter, ListQuery, ListRequest
from alcor.managers.node.model import NodeInUse
from alcor.values.capacity import Bandwidth, Capacity, Inventory, PacketRates


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


def test_agents_keep_their_id(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        first = (await world.listed(world.agents))["h1"]["id"]
        assert (await world.listed(world.agents))["h1"]["id"] == first

    play(tmp_path, scene)


class Narrow:
    """A store of so many nodes that it is never read as a whole."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        assert name != "all", "every node was read"
        return getattr(self._store, name)


def test_who_names_hosts_or_an_agent_has_no_other_read(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        for number in (1, 2, 3):
            await world.hear(f"h{number}", f"192.0.2.{number}")
        agents = await world.listed(world.agents)
        world.agents._store = Narrow(world.agents._store)

        async def found(*filters: Filter) -> list[str]:
            asked = ListRequest(ADMIN, ListQuery(filters=filters))
            reply = await world.agents.list_page(asked)
            return sorted(msgspec.json.decode(raw)["host"] for raw in reply.items)

        assert await found(Filter("host", ("h1", "h3", "h9"))) == ["h1", "h3"]
        assert await found(Filter("id", (agents["h2"]["id"],))) == ["h2"]
        assert await found(Filter("id", ("no-agent",))) == []
        dead = Filter("alive", (False,))
        assert await found(Filter("host", ("h1",)), dead) == []

    play(tmp_path, scene)


def test_p142_the_times_of_agents_are_written_as_neutron_does(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.hear("h1", "192.0.2.1")
        agent = (await world.listed(world.agents))["h1"]
        for name in ("heartbeat_timestamp", "created_at", "started_at"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", agent[name])

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
