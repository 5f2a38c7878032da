"""Sharing policies and quotas of the network manager, on each database: who sees what, in order."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.fixtures import manager
from tests.fixtures.foundation import foundation
from tests.fixtures.policies import NoPolicies

from alcor.contracts.peers import InUse
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListRequest,
    Sort,
    UpdateRequest,
)
from alcor.contracts.sharing import Confine
from alcor.intent import records
from alcor.intent.records import NetworkRecord
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.network.api import NETWORK
from alcor.managers.network.app import NetworkApp, NetworkSettings
from alcor.managers.network.needs import Peers
from alcor.resource import body
from alcor.runtime.managing.sharing_service import Sharing
from alcor.runtime.sql.places import Place, Servers
from alcor.values.errors import Refusal

ADMIN = Caller(project_id="root", admin=True)
ANN, BOB = Caller(project_id="ann"), Caller(project_id="bob")


class Users:
    """Who uses networks, honestly faked: what was confined last, and whom that would hurt."""

    def __init__(self) -> None:
        self.using: dict[str, str] = {}  # the project that has a port on it, by network
        self.allowed: dict[str, set[str]] = {}

    async def confine(self, request: Confine) -> InUse:
        allowed = {request.owner, *request.allowed}
        if self.using.get(request.id, request.owner) not in allowed and "*" not in allowed:
            return InUse([request.id])
        self.allowed[request.id] = allowed
        return InUse([])


@pytest.fixture(params=["sqlite", "postgres"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    if request.param == "sqlite":
        return tmp_path
    return Servers(request.getfixturevalue("postgres").url(f"{uuid4().hex}_{{manager}}"))


class World:
    def __init__(self, place: Place, quota: dict[str, int]) -> None:
        self.users = Users()
        self.log = MemoryLog(1)
        nobody: Any = None  # no test here asks the other managers
        self.app = NetworkApp(
            foundation(place, self.log, quota=lambda kind, project: quota.get(project, -1)),
            Peers(nobody, nobody, nobody, self.users, Users(), nobody, nobody, NoPolicies()),
            NetworkSettings(),
        )
        self.networks = self.app.resources[0][1]
        self.policies: Sharing = self.app.shared[0][1]

    async def make(self, caller: Caller, *names: str, **fields: Any) -> list[str]:
        bodies = [{"name": name} | fields for name in names]
        items = body.created(NETWORK, msgspec.json.encode({"networks": bodies}), 100).items
        for item in items:
            item["project_id"] = caller.project_id
        made = await self.networks.create(CreateRequest(caller, items))
        return [msgspec.json.decode(raw)["id"] for raw in made.items]

    async def seen(self, caller: Caller, **query: Any) -> list[Any]:
        reply = await self.networks.list_page(ListRequest(caller, ListQuery(**query)))
        return [msgspec.json.decode(raw) for raw in reply.items]

    async def share(self, caller: Caller, network: str, target: str) -> str:
        item = {
            "object_type": "network",
            "object_id": network,
            "action": "access_as_shared",
            "target_tenant": target,
            "project_id": caller.project_id,
        }
        made = await self.policies.create(CreateRequest(caller, [item]))
        return str(msgspec.json.decode(made.items[0])["id"])

    async def told(self, network: str) -> NetworkRecord:
        await self.app.relay.rebuild()
        snapshot = await self.log.snapshot(records.key("network", network))
        (value,) = (entry.value for entry in snapshot.entries)
        assert value is not None
        record = records.decode(records.key("network", network), value)
        assert isinstance(record, NetworkRecord)
        return record


def play(place: Place, scene: Callable[[World], Awaitable[None]], **quota: int) -> None:
    manager.play(lambda: World(place, quota), scene)


def test_pages_hold_own_and_shared_networks_in_one_order(place: Place) -> None:
    async def scene(world: World) -> None:
        anns = await world.make(ANN, *"aceg")
        await world.make(BOB, *"bdf")
        for network in anns[:3]:
            await world.share(ANN, network, "bob")
        await world.make(ADMIN, "z", shared=True)
        for reverse in (False, True):
            found: list[str] = []
            marker = ""
            while page := await world.seen(
                BOB, sorts=(Sort("name", descending=reverse),), limit=2, marker=marker
            ):
                found += [network["name"] for network in page]
                marker = page[-1]["id"]
            assert found == sorted("abcdefz", reverse=reverse)

    play(place, scene)


def test_shared_is_shown_and_filtered_by_as_the_viewer_has_it(place: Place) -> None:
    async def scene(world: World) -> None:
        a, b = await world.make(ANN, "a", "b", description='"shared":false')
        await world.share(ANN, a, "bob")
        (seen,) = await world.seen(BOB)
        assert (seen["shared"], seen["description"]) == (True, '"shared":false')
        assert [network["shared"] for network in await world.seen(ANN)] == [False, False]
        shared = {
            value: [n["id"] for n in await world.seen(ADMIN, filters=(Filter("shared", (value,)),))]
            for value in (True, False)
        }
        assert shared == {True: [], False: sorted([a, b])}
        assert [n["id"] for n in await world.seen(BOB, filters=(Filter("shared", (True,)),))] == [a]
        assert (await world.told(a)).shared_with == ("bob",)

    play(place, scene)


def test_what_is_used_is_not_taken_away_and_users_hear_what_holds(place: Place) -> None:
    async def scene(world: World) -> None:
        (network,) = await world.make(ANN, "a")
        policy = await world.share(ANN, network, "bob")
        assert world.users.allowed[network] == {"ann", "bob"}
        world.users.using[network] = "bob"
        with pytest.raises(Refusal) as refused:
            await world.policies.delete(DeleteRequest(ANN, policy))
        assert refused.value.type == "RbacPolicyInUse"
        assert (await world.told(network)).shared_with == ("bob",)
        everybody = UpdateRequest(ADMIN, network, {"shared": True})
        await world.networks.update(everybody)
        assert world.users.allowed[network] == {"ann", "bob", "*"}
        await world.policies.delete(DeleteRequest(ANN, policy))
        private = UpdateRequest(ADMIN, network, {"shared": False})
        with pytest.raises(Refusal) as refused:
            await world.networks.update(private)
        assert refused.value.type == "InvalidSharedSetting"
        del world.users.using[network]
        await world.networks.update(private)
        assert world.users.allowed[network] == {"ann"}
        assert await world.seen(BOB) == []

    play(place, scene)


def test_a_note_that_a_crash_left_is_settled_at_the_next_start(place: Place) -> None:
    async def scene(world: World) -> None:
        (network,) = await world.make(ANN, "a")
        await world.share(ANN, network, "bob")
        world.users.allowed[network] = {"ann"}  # confined for a change that was never saved
        await world.app.database.write(
            lambda c: c.execute("INSERT INTO resharing VALUES (?)", (network,)) and None
        )
        await world.policies.recover()
        assert world.users.allowed[network] == {"ann", "bob"}
        left = await world.app.database.read(
            lambda c: c.execute("SELECT count(*) FROM resharing").fetchone()
        )
        assert tuple(left) == (0,)

    play(place, scene)


def test_a_limit_is_kept_by_many_that_come_at_once(place: Place) -> None:
    async def scene(world: World) -> None:
        tries = [world.make(ANN, "a", "b") for _ in range(8)]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        refused = [each for each in outcomes if isinstance(each, BaseException)]
        assert len(outcomes) - len(refused) == 2  # of two each
        assert {getattr(each, "type", each) for each in refused} == {"OverQuota"}
        assert len(await world.seen(ANN)) == 4

    play(place, scene, ann=5)
