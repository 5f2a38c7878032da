"""Networks: VNIs, fenced deletion, the subnets shown, and what the log is told."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.fixtures import manager
from tests.fixtures.foundation import foundation
from tests.fixtures.manager import refusal_of as refused
from tests.fixtures.policies import NoPolicies

from alcor.contracts.peers import Done, Ids, InUse, NetworkSubnets, SegmentOf
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListRequest,
    UpdateRequest,
)
from alcor.contracts.sharing import Confine
from alcor.intent import records
from alcor.intent.records import NetworkRecord
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.network.api import NETWORK, SEGMENT
from alcor.managers.network.app import NetworkApp, NetworkSettings
from alcor.managers.network.needs import Peers as Needed
from alcor.managers.network.subnets_seen import SubnetSeen
from alcor.resource import body
from alcor.runtime.clock import new_id

ADMIN = Caller(project_id="p", admin=True)
OTHER = Caller(project_id="other")


class Peers:
    """The managers that hold a network's children, honestly faked: fences are remembered."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.idle: set[str] = set()  # used by floating IPs only, which nobody has been given
        self.fenced: set[str] = set()
        self.dropped: list[str] = []
        self.broken = False

    async def fence_networks(self, request: Ids) -> InUse:
        self.fenced |= set(request.ids) - self.used
        return InUse([id_ for id_ in request.ids if id_ in self.used])

    async def lift(self, request: Ids) -> Done:
        self.fenced -= set(request.ids)
        return Done()

    async def drop_network(self, request: NetworkSubnets) -> Done:
        if self.broken:
            raise RuntimeError("the subnet manager crashed")
        self.dropped.append(request.network_id)
        return Done()

    async def confine(self, request: Confine) -> InUse:
        return InUse([request.id] if request.id in self.used else [])

    async def fence_segment(self, request: SegmentOf) -> InUse:
        if self.broken:
            raise RuntimeError("the subnet manager crashed")
        self.fenced.add(request.id)
        return InUse([])

    async def drop_unused(self, request: Ids) -> Done:
        self.used -= self.idle & set(request.ids)
        return Done()


class World:
    def __init__(self, folder: Path, **settings: Any) -> None:
        self.peers = Peers()
        self.log = MemoryLog(1)
        one: Any = self.peers
        self.app = NetworkApp(
            foundation(folder, self.log),
            Needed(one, one, one, one, one, one, one, NoPolicies()),
            NetworkSettings(**settings),
        )
        self.service = self.app.resources[0][1]

    async def create(self, *bodies: dict[str, Any], caller: Caller = ADMIN) -> list[Any]:
        items = body.created(NETWORK, msgspec.json.encode({"networks": bodies}), 100).items
        for item in items:
            item.setdefault("project_id", caller.project_id)
        written = await self.service.create(CreateRequest(caller, items))
        return [msgspec.json.decode(raw) for raw in written.items]

    async def segments(self, network_id: str, count: int) -> list[str]:
        items = [{"network_id": network_id, "network_type": "vxlan"}] * count
        content = msgspec.json.encode({"segments": items})
        checked = body.created(SEGMENT, content, 100).items
        written = await self.app.resources[3][1].create(CreateRequest(ADMIN, checked))
        return [msgspec.json.decode(raw)["id"] for raw in written.items]

    async def delete(self, id_: str, caller: Caller = ADMIN) -> str:
        return (await self.service.delete(DeleteRequest(caller, id_))).revision

    async def update(self, id_: str, if_revision: int | None = None, **changes: Any) -> Any:
        written = await self.service.update(UpdateRequest(ADMIN, id_, changes, if_revision))
        return msgspec.json.decode(written.items[0])

    async def listed(self, caller: Caller = ADMIN, **filters: Any) -> list[Any]:
        wanted = tuple(Filter(name, (value,)) for name, value in filters.items())
        reply = await self.service.list_page(ListRequest(caller, ListQuery(filters=wanted)))
        return [msgspec.json.decode(raw) for raw in reply.items]


def play(folder: Path, scene: Callable[[World], Awaitable[None]], **settings: int) -> None:
    manager.play(lambda: World(folder, **settings), scene)


def test_every_network_has_a_vni_of_its_own(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        made = await world.create(*[{"name": f"n{i}"} for i in range(50)])
        assert len({n["provider:segmentation_id"] for n in made}) == 50

    play(tmp_path, scene)


def test_a_vni_asked_for_is_given_once(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        wish = {"provider:segmentation_id": 2}
        await world.create(wish)
        assert await refused(world.create(wish)) == "TunnelIdInUse"
        chosen = await world.create({}, {})
        assert [n["provider:segmentation_id"] for n in chosen] == [1, 3]

    play(tmp_path, scene)


def test_a_freed_vni_is_given_again_only_after_the_others(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        first, _ = await world.create({}, {})
        await world.delete(first["id"])
        assert [n["provider:segmentation_id"] for n in await world.create({}, {})] == [3, 1]
        assert await refused(world.create({})) == "NoNetworkAvailable"

    play(tmp_path, scene, vni_max=3)


def test_a_bulk_with_one_refused_makes_nothing(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        id_ = new_id()
        assert await refused(world.create({"id": id_}, {"id": id_})) == "NetworkIdInUse"
        assert await world.listed() == []

    play(tmp_path, scene)


def test_a_network_with_ports_stays_and_is_not_left_fenced(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({})
        world.peers.used.add(made["id"])
        assert await refused(world.delete(made["id"])) == "NetworkInUse"
        assert not world.peers.dropped
        world.peers.used.clear()
        await world.delete(made["id"])
        assert await world.listed() == []
        assert world.peers.dropped == [made["id"]]

    play(tmp_path, scene)


def test_a_segment_whose_deletion_a_crash_cut_short_takes_subnets_again(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({})
        kept, gone = await world.segments(made["id"], 2)
        await world.peers.fence_segment(SegmentOf(made["id"], kept))  # and then it crashed
        await world.app.resources[3][1].delete(DeleteRequest(ADMIN, gone))
        assert world.peers.fenced == {kept, gone}

        await world.app.recover()

        assert world.peers.fenced == {gone}

    play(tmp_path, scene)


def test_an_external_network_goes_with_the_floating_ips_that_nobody_was_given(
    tmp_path: Path,
) -> None:
    async def scene(world: World) -> None:
        inner, outer = await world.create({}, {"router:external": True})
        for each in (inner, outer):
            world.peers.used.add(each["id"])
            world.peers.idle.add(each["id"])
        assert await refused(world.delete(inner["id"])) == "NetworkInUse"
        await world.delete(outer["id"])
        assert [each["id"] for each in await world.listed()] == [inner["id"]]

    play(tmp_path, scene)


def test_a_failed_deletion_is_taken_back(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({})
        world.peers.broken = True
        with pytest.raises(RuntimeError):
            await world.delete(made["id"])
        assert not world.peers.fenced
        world.peers.broken = False
        await world.delete(made["id"])

    play(tmp_path, scene)


def test_a_deletion_cut_short_by_a_crash_is_finished_at_the_next_start(tmp_path: Path) -> None:
    async def crash(world: World) -> None:
        (made,) = await world.create({"name": "going"})
        await world.app._service._store.mark(made["id"], None)

    async def restart(world: World) -> None:
        await world.app.recover()
        assert await world.listed() == []

    play(tmp_path, crash)
    play(tmp_path, restart)


def test_two_deletions_at_once_do_not_mix_their_fences(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({})
        done = await asyncio.gather(
            world.delete(made["id"]), world.delete(made["id"]), return_exceptions=True
        )
        assert sum(isinstance(each, str) for each in done) == 1

    play(tmp_path, scene)


def test_others_neither_see_nor_touch_a_network(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({})
        assert await world.listed(OTHER) == []
        assert await refused(world.delete(made["id"], OTHER)) == "NetworkNotFound"

    play(tmp_path, scene)


def test_a_change_on_an_old_state_is_refused_and_a_change_of_nothing_is_none(
    tmp_path: Path,
) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({"name": "a"})
        assert (await world.update(made["id"], name="a"))["revision_number"] == 1
        assert (await world.update(made["id"], 1, name="b"))["revision_number"] == 2
        stale = await refused(world.update(made["id"], 1, name="c"))
        assert stale == "RevisionNumberConstraintFailed"
        assert (await world.update(made["id"], mtu=0))["mtu"] == 1450
        assert await refused(world.update(made["id"], mtu=9000)) == "InvalidInput"

    play(tmp_path, scene)


def test_filters_reach_columns_and_documents(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.create({"name": "a", "admin_state_up": False}, {"name": "b"})
        assert [n["name"] for n in await world.listed(name="a")] == ["a"]
        assert [n["name"] for n in await world.listed(admin_state_up=True)] == ["b"]
        assert [n["name"] for n in await world.listed(qos_policy_id=None, mtu=1450)] == ["a", "b"]

    play(tmp_path, scene)


def test_the_log_is_told_each_change_and_all_of_it_again_at_the_next_start(tmp_path: Path) -> None:
    async def write(world: World) -> None:
        running = asyncio.ensure_future(world.app.relay.run())
        kept, gone = await world.create({"name": "kept"}, {"name": "gone"})
        await world.delete(gone["id"])
        await asyncio.wait_for(world.app.relay.published_all(3), 5)
        assert [e.revision for e in (await world.log.snapshot("network/")).entries] == [1]
        await world.update(kept["id"], name="kept again")
        running.cancel()

    async def restart(world: World) -> None:
        await world.app.relay.rebuild()
        (entry,) = (await world.log.snapshot("network/")).entries
        assert entry.value is not None
        record = records.decode(entry.key, entry.value)
        assert isinstance(record, NetworkRecord)
        assert (record.name, entry.revision) == ("kept again", 4)
        assert world.app.relay.published == 4

    play(tmp_path, write)
    play(tmp_path, restart)


def test_a_network_shows_the_subnets_that_the_log_knows(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({})
        store = world.app._service._store
        seen = SubnetSeen(made["id"], 4, 1)
        await store.apply_subnets({"s2": seen, "s1": seen})
        assert (await world.listed())[0]["subnets"] == ["s1", "s2"]
        await store.apply_subnets({"s2": None})
        assert (await world.listed())[0]["subnets"] == ["s1"]
        await store.replace_subnets({"s3": seen})
        assert (await world.listed())[0]["subnets"] == ["s3"]

    play(tmp_path, scene)


def test_a_network_is_revised_by_its_subnets_but_once_for_each_change(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({})
        store = world.app._service._store

        async def revision() -> int:
            (shown,) = await world.listed()
            return int(shown["revision_number"])

        await store.apply_subnets({"s": SubnetSeen(made["id"], 4, 1)})
        assert await revision() == 2
        await store.replace_subnets({"s": SubnetSeen(made["id"], 4, 1)})  # nothing new
        assert await revision() == 2
        await store.replace_subnets({"s": SubnetSeen(made["id"], 4, 9)})  # changed meanwhile
        assert await revision() == 3

    play(tmp_path, scene)


@pytest.mark.parametrize(("version", "mtu"), [(4, 67), (6, 1_279)])
def test_a_network_with_subnets_carries_what_their_family_needs(
    tmp_path: Path, version: int, mtu: int
) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create({"mtu": mtu})  # without subnets, anything goes
        await world.update(made["id"], mtu=mtu + 1)
        seen = SubnetSeen(made["id"], version, 1)
        await world.app._service._store.apply_subnets({"s": seen})
        assert await refused(world.update(made["id"], mtu=mtu)) == "NetworkMTUSubnetConflict"

    play(tmp_path, scene)


VLAN = {"provider:network_type": "vlan", "provider:physical_network": "a"}
FLAT = VLAN | {"provider:network_type": "flat"}


def test_a_vlan_of_a_physical_network_and_its_untagged_packets_are_given_once(
    tmp_path: Path,
) -> None:
    async def scene(world: World) -> None:
        outside = VLAN | {"router:external": True}
        made = await world.create(VLAN, VLAN | {"provider:segmentation_id": 7}, outside, FLAT)
        assert [n["provider:segmentation_id"] for n in made] == [1, 7, 2, None]
        assert len({n["alcor:vni"] for n in made}) == 4
        again = VLAN | {"provider:segmentation_id": 7}
        assert await refused(world.create(again)) == "VlanIdInUse"
        assert await refused(world.create(FLAT)) == "FlatNetworkInUse"
        await world.create(FLAT | {"provider:physical_network": "b"})
        await world.delete(made[0]["id"])
        made = await world.create(VLAN, VLAN | {"provider:segmentation_id": 1})
        assert [n["provider:segmentation_id"] for n in made] == [3, 1]

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "wish",
    [
        VLAN | {"provider:physical_network": None, "provider:segmentation_id": 5},
        VLAN | {"provider:segmentation_id": 4_095},
        FLAT | {"provider:segmentation_id": 1},
        {"provider:physical_network": "a"},
        {"provider:network_type": "vxlan", "provider:physical_network": "a"},
        {"provider:network_type": "geneve"},
        {"is_default": True},
        {"segments": [{"provider:network_type": "vxlan"}, {"provider:network_type": "geneve"}]},
        {"segments": [{"provider:network_type": "vxlan"}], "provider:network_type": "vxlan"},
    ],
)
def test_a_segment_that_can_not_be_is_refused(tmp_path: Path, wish: dict[str, Any]) -> None:
    async def scene(world: World) -> None:
        assert await refused(world.create(wish)) in (
            "InvalidInput",
            "SegmentsSetInConjunctionWithProviders",
        )

    play(tmp_path, scene)


def test_everybody_sees_an_external_network_and_one_is_the_default(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        first = {"name": "out", "router:external": True, "is_default": True}
        made, _ = await world.create(first, {"name": "private"})
        assert [n["name"] for n in await world.listed(OTHER)] == ["out"]
        assert await refused(world.create(first)) == "DefaultExternalNetworkExists"
        assert await refused(world.update(made["id"], **{"router:external": False}))
        await world.update(made["id"], **{"router:external": False, "is_default": False})
        assert await world.listed(OTHER) == []

    play(tmp_path, scene)


def test_networks_of_before_get_their_segments_with_what_was_said_of_them(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        kept, other = await world.create({}, VLAN | {"router:external": True})

        def forget(connection: Any) -> None:
            connection.execute("DELETE FROM segment WHERE id <> ?", (kept["id"],))
            said = "INSERT INTO segment_note VALUES (?, 'rack', 'the first', 2, 'later')"
            connection.execute(said, (other["id"],))
            gone = "INSERT INTO segment SELECT 'x', 'gone', 'vxlan', NULL, 9, NULL, 0, '{}'"
            connection.execute(gone)

        await world.app.database.write(forget)
        await world.app.recover()

        _, segments = world.app.resources[3]
        reply = await segments.list_page(ListRequest(ADMIN, ListQuery()))
        found = {each["id"]: each for each in map(msgspec.json.decode, reply.items)}
        assert found.keys() == {kept["id"], other["id"]}
        assert found[other["id"]] == {
            "id": other["id"], "network_id": other["id"], "network_type": "vlan",
            "physical_network": other["provider:physical_network"],
            "segmentation_id": other["provider:segmentation_id"], "alcor:vni": other["alcor:vni"],
            "name": "rack", "description": "the first", "revision_number": 2,
            "created_at": other["created_at"], "updated_at": "later",
        }  # fmt: skip
        (again,) = await world.create({})
        assert again["alcor:vni"] not in (kept["alcor:vni"], other["alcor:vni"])

    play(tmp_path, scene)
