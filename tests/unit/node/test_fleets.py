"""Fleets that connect at once: what they cost the node manager."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from tests.unit.node.world import World, play

from alcor.goal_state.reports import HostReport, host_key
from alcor.keyed_log.log import Entry
from alcor.managers.node.model import Node
from alcor.managers.node.needs import Saved
from alcor.managers.node.sql import NodeStore


class CountingStore(NodeStore):
    """Counts what it is asked for, and what it saves."""

    asked = saved = 0

    async def nodes(self, ids: Sequence[str]) -> list[Node]:
        self.asked += 1
        return await super().nodes(ids)

    async def _write(self, work: Callable[[sqlite3.Connection], Saved]) -> Saved:
        self.saved += 1
        return await super()._write(work)


async def connect(
    world: World, tunnel_ip_by_host: Mapping[str, str], *, connected: bool = True
) -> None:
    """All hosts come at once, or go."""
    entries = []
    for host, ip in tunnel_ip_by_host.items():
        report = HostReport(host=host, epoch=1, position=7, tunnel_ip=ip, connected=connected)
        entries.append(Entry(host_key(host), msgspec.msgpack.encode(report), 1, "", 1))
    await world.nodes.hear(entries)


def test_a_fleet_that_connects_again_costs_a_look_and_no_transaction(tmp_path: Path) -> None:
    """Else clients wait behind as many transactions as there are hosts."""

    async def scene(world: World) -> None:
        fleet = {f"h{number}": f"192.0.2.{number}" for number in range(1, 101)}
        await connect(world, fleet)
        store = world.nodes._store = CountingStore(world.app.database, world.app.relay)

        await connect(world, fleet, connected=False)
        await connect(world, fleet)
        assert (store.asked, store.saved) == (1, 0)

        await connect(world, fleet, connected=False)
        await connect(world, fleet | {"h7": "198.51.100.7", "h101": "192.0.2.101"})
        assert store.saved == 1
        nodes = await world.listed(world.nodes)
        assert (len(nodes), nodes["h7"]["tunnel_ip"]) == (101, "198.51.100.7")

    play(tmp_path, scene)


def test_new_hosts_are_registered_together_and_one_that_is_refused_hurts_no_other(
    tmp_path: Path,
) -> None:
    async def scene(world: World) -> None:
        store = world.nodes._store = CountingStore(world.app.database, world.app.relay)
        fleet = {f"h{number}": f"192.0.2.{number}" for number in range(1, 65)}

        await connect(world, fleet)
        assert (store.saved, len(await world.listed(world.nodes))) == (1, 64)

        await connect(
            world, {f"n{n}": f"198.51.100.{n}" for n in range(1, 64)} | {"x": "192.0.2.5"}
        )
        nodes = await world.listed(world.nodes)
        assert len(nodes) == 64 + 63
        assert "x" not in nodes
        assert store.saved < 1 + 2 * 7  # the refused one is found by halves

        await connect(world, {"h5": "192.0.2.5"}, connected=False)
        await connect(world, {"h5": "203.0.113.5"})
        await world.nodes.register_again()
        assert (await world.listed(world.nodes))["x"]["tunnel_ip"] == "192.0.2.5"

    play(tmp_path, scene)
