"""Network ACLs through the real store: order, associations, parents that go, what is told."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from tests.fixtures.foundation import foundation
from tests.fixtures.manager import ManagerWorld, play, refusal_of

from alcor.contracts.peers import Ids, Networks, Subnets
from alcor.contracts.resources import (
    Caller,
)
from alcor.intent import records
from alcor.intent.records import NetworkRecord, SubnetRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.network_acl.app import NetworkAclApp, NetworkAclSettings

ALICE, BOB = Caller(project_id="alice"), Caller(project_id="bob")
NET = "00000000-0000-4000-8000-000000000001"
A = "00000000-0000-4000-8000-00000000000a"
B = "00000000-0000-4000-8000-00000000000b"
wait_s_max = 10


class Owners:
    """The network and subnet managers, honestly faked."""

    def __init__(self) -> None:
        self.networks_held = {NET: NetworkRecord(id=NET, project_id="alice", vni=1, mtu=1_450)}
        self.subnets_held = {
            id_: SubnetRecord(
                id=id_, network_id=NET, project_id="alice", ip_version=4, cidr="10.0.0.0/24"
            )
            for id_ in (A, B)
        }

    async def networks(self, request: Ids) -> Networks:
        return Networks([self.networks_held[i] for i in request.ids if i in self.networks_held])

    async def subnets_of(self, request: Ids) -> Subnets:
        held = self.subnets_held.values()
        return Subnets([each for each in held if each.network_id in request.ids])


class World(ManagerWorld[NetworkAclApp]):
    """The manager on a real database and log."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.owners = Owners()
        peers = cast(Any, self.owners)
        log = MemoryLog(1)
        self.revision = 0
        app = NetworkAclApp(
            foundation(folder, log),
            peers,
            peers,
            NetworkAclSettings(**settings),
        )
        super().__init__(app, log, ALICE)

    async def acl(self, *subnets: str, **values: Any) -> dict[str, Any]:
        made: dict[str, Any]
        values = {"network_id": NET, "subnet_ids": list(subnets)} | values
        (made,) = await self.create("network_acl", values)
        return made

    async def put(self, kind: str, id_: str, record: records.Record | None) -> None:
        self.revision += 1
        value = None if record is None else records.encode(record)
        await self.log.put([Change(records.key(kind, id_), value, self.revision, "")])

    async def tell_parents(self) -> None:
        """All that the owners hold."""
        for id_, network in self.owners.networks_held.items():
            await self.put("network", id_, network)
        for id_, subnet in self.owners.subnets_held.items():
            await self.put("subnet", id_, subnet)


def run(folder: Path, story: Callable[[World], Awaitable[None]], **settings: int) -> None:
    play(lambda: World(folder, **settings), story)


async def refused(type_: str, attempt: Awaitable[object]) -> None:
    assert await refusal_of(attempt) == type_


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(wait_s_max):
        while not await holds():
            pass  # asking lets others run


def allow(acl: str, number: int, **more: Any) -> dict[str, Any]:
    values = {"network_acl_id": acl, "number": number, "direction": "ingress", "action": "allow"}
    return values | more


def test_rules_are_listed_in_the_order_in_which_they_decide(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        acl = await world.acl(A, name="edge")
        await world.create("network_acl_rule", allow(acl["id"], 200), allow(acl["id"], 100))

        rules = await world.listed(
            "network_acl_rule", sort="number", network_acl_id=acl["id"], direction="ingress"
        )

        assert [rule["number"] for rule in rules] == [100, 200, 32_767]
        assert [rule["action"] for rule in rules] == ["allow", "allow", "deny"]

    run(tmp_path, story)


def test_a_number_is_there_once_in_a_direction(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        acl, other = await world.acl(), await world.acl()
        (first,) = await world.create("network_acl_rule", allow(acl["id"], 100))
        await world.create("network_acl_rule", allow(acl["id"], 100, direction="egress"))
        (second,) = await world.create("network_acl_rule", allow(acl["id"], 101))
        await world.create("network_acl_rule", allow(other["id"], 100))

        again = allow(acl["id"], 100, action="deny")
        await refused("NetworkAclRuleNumberInUse", world.create("network_acl_rule", again))
        await refused(
            "NetworkAclRuleNumberInUse", world.update("network_acl_rule", second["id"], number=100)
        )
        both = (allow(acl["id"], 7), allow(acl["id"], 7))
        await refused("NetworkAclRuleNumberInUse", world.create("network_acl_rule", *both))

        await world.delete("network_acl_rule", first["id"])
        await world.update("network_acl_rule", second["id"], number=100)

    run(tmp_path, story)


def test_a_subnet_has_one_acl(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        first, second = await world.acl(A), await world.acl(B)

        await refused("SubnetHasNetworkAcl", world.acl(A))
        await refused(
            "SubnetHasNetworkAcl", world.update("network_acl", second["id"], subnet_ids=[A, B])
        )
        await world.update("network_acl", first["id"], subnet_ids=[])
        await world.update("network_acl", second["id"], subnet_ids=[A, B])

        assert [acl["id"] for acl in await world.listed("network_acl", subnet_id=A)] == [
            second["id"]
        ]
        assert (await world.told("network_acl"))[second["id"]].subnet_ids == (A, B)

    run(tmp_path, story)


def test_an_acl_needs_its_network_and_subnets_of_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await refused("NetworkNotFound", world.acl(network_id=B))
        await refused("SubnetNotFound", world.acl(NET))
        foreign = {"network_id": NET}
        await refused("NetworkNotFound", world.create("network_acl", foreign, caller=BOB))

    run(tmp_path, story)


def test_an_acl_that_guards_subnets_is_not_deleted(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        acl = await world.acl(A)
        await world.create("network_acl_rule", allow(acl["id"], 5))

        await refused("NetworkAclInUse", world.delete("network_acl", acl["id"]))
        await refused("NetworkAclNotFound", world.delete("network_acl", acl["id"], BOB))
        await world.update("network_acl", acl["id"], subnet_ids=[])
        await world.delete("network_acl", acl["id"])

        assert await world.listed("network_acl_rule") == []
        assert await world.told("network_acl") == {}
        assert await world.told("network_acl_rule") == {}

    run(tmp_path, story)


def test_the_default_rules_stay(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        acl = await world.acl()
        (last, _) = await world.listed("network_acl_rule", network_acl_id=acl["id"])

        await refused(
            "NetworkAclDefaultRuleInUse",
            world.update("network_acl_rule", last["id"], action="allow"),
        )
        await refused("NetworkAclDefaultRuleInUse", world.delete("network_acl_rule", last["id"]))
        assert await world.told("network_acl_rule") == {}

    run(tmp_path, story)


def test_an_acl_holds_no_more_rules_than_its_limit(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        acl = await world.acl()
        two = (allow(acl["id"], 1), allow(acl["id"], 2))

        await refused("NetworkAclRuleLimitExceeded", world.create("network_acl_rule", *two))
        await world.create("network_acl_rule", two[0])

        assert len(await world.listed("network_acl_rule")) == 3

    run(tmp_path, story, rules_per_acl_max=1)


def test_an_acl_goes_with_its_network_and_an_association_with_its_subnet(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.acl(A, B)
        await world.tell_parents()
        tasks = [asyncio.ensure_future(work) for work in world.app.tasks()]

        del world.owners.subnets_held[A]
        await world.put("subnet", A, None)

        async def only_b() -> bool:
            return [acl["subnet_ids"] for acl in await world.listed("network_acl")] == [[B]]

        await until(only_b)
        del world.owners.networks_held[NET]
        await world.put("network", NET, None)

        async def none() -> bool:
            return await world.listed("network_acl") == []

        await until(none)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(tmp_path, story)


def test_what_a_snapshot_lacks_is_asked_of_its_owner_before_it_counts_as_gone(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        acl = await world.acl(A, B)
        del world.owners.subnets_held[B]

        # The log knows neither the network nor the subnets: only B is really gone.
        tasks = [asyncio.ensure_future(work) for work in world.app.tasks()]

        async def only_a() -> bool:
            return [a["subnet_ids"] for a in await world.listed("network_acl")] == [[A]]

        await until(only_a)
        assert [a["id"] for a in await world.listed("network_acl")] == [acl["id"]]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(tmp_path, story)
