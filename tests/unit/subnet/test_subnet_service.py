"""Subnets through the real store: overlap under races, pools that never leak, fenced deletion."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.fixtures import manager
from tests.fixtures.foundation import foundation
from tests.fixtures.manager import refusal_of as refused

from alcor.contracts.held_ports import ROUTER_INTERFACE, PortAddress, PortView, PortViews
from alcor.contracts.peers import (
    Done,
    Ids,
    InUse,
    Networks,
    NetworkSubnets,
    Pool,
    Pools,
    SubnetSequence,
)
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListRequest,
    UpdateRequest,
)
from alcor.contracts.sharing import Project, ReachableNetworks
from alcor.contracts.subnetpools import (
    AdoptRequest,
    OnboardRequest,
    PoolOfSubnet,
    PoolsOfSubnets,
    PrefixGrant,
    PrefixGrants,
    PrefixRequest,
)
from alcor.intent.records import NetworkRecord, PortRecord
from alcor.managers.subnet.api import SUBNET
from alcor.managers.subnet.app import SubnetApp, SubnetSettings
from alcor.managers.subnet.needs import Peers as Needed
from alcor.resource import body
from alcor.values.errors import Conflict, Refusal

ADMIN = Caller(project_id="p", admin=True)
NET = "a3b1c0de-0000-4000-8000-000000000001"
POOL = "b0010c0d-0000-4000-8000-000000000001"
OTHER_NET = "a3b1c0de-0000-4000-8000-000000000002"


class Peers:
    """The other managers: networks that exist, pools saved, subnets used by ports."""

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}
        self.used: set[str] = set()
        self.fenced: set[str] = set()
        self.taken_gateways: set[str] = set()
        self.router_addresses: set[str] = set()
        self.shown: list[int] = []
        self.fail_at = ""
        self.asked_for_shared = 0  # which networks others share
        self.allocated: dict[str, str] = {}
        self.adopted: dict[str, str] = {}  # pools by subnet

    def _step(self, name: str) -> None:
        if self.fail_at == name:
            self.fail_at = ""
            raise RuntimeError(name)

    async def reachable(self, request: Project) -> ReachableNetworks:
        self.asked_for_shared += 1
        return ReachableNetworks([], [])

    async def networks(self, request: Ids) -> Networks:
        return Networks(
            [
                NetworkRecord(id=id_, project_id="p", vni=1, mtu=1450)
                for id_ in request.ids
                if id_ in (NET, OTHER_NET)
            ]
        )

    async def save_pools(self, request: Pools) -> Done:
        self._step("save_pools")
        for pool in request.pools:
            if self.taken_gateways & set(pool.reserved):
                raise Conflict("taken", type="IpAddressAlreadyAllocated")
            self.pools[pool.subnet_id] = pool
        self._step("saved_pools")
        return Done()

    async def drop_pools(self, request: Ids) -> Done:
        self._step("drop_pools")
        for id_ in request.ids:
            self.pools.pop(id_, None)
        return Done()

    async def fence_subnets(self, request: Ids) -> InUse:
        self._step("fence_subnets")
        self.fenced |= set(request.ids) - self.used
        return InUse([id_ for id_ in request.ids if id_ in self.used])

    async def allocate(self, request: PrefixRequest) -> PrefixGrants:
        self._step("allocate")
        for wish in request.wishes:
            self.allocated[wish.subnet_id] = "10.9.0.0/24"
        self._step("allocated")
        return PrefixGrants([PrefixGrant(POOL, "10.9.0.0/24") for _ in request.wishes])

    async def adopt(self, request: AdoptRequest) -> Done:
        self._step("adopt")
        self.adopted |= {each.subnet_id: request.pool_id for each in request.subnets}
        self._step("adopted")
        return Done()

    async def holdings(self, request: Ids) -> PoolsOfSubnets:
        pools = dict.fromkeys(self.allocated, POOL) | self.adopted
        return PoolsOfSubnets(
            [PoolOfSubnet(id_, pools[id_]) for id_ in request.ids if id_ in pools]
        )

    async def release(self, request: Ids) -> Done:
        for id_ in request.ids:
            self.allocated.pop(id_, None)
        return Done()

    async def subnets_shown(self, request: SubnetSequence) -> Done:
        self.shown.append(request.sequence)
        return Done()

    async def vacate_subnets(self, request: Ids) -> InUse:
        self._step("vacate_subnets")
        return await self.fence_subnets(request)

    async def lift(self, request: Ids) -> Done:
        self.fenced -= set(request.ids)
        return Done()

    async def at(self, request: PortAddress) -> PortViews:
        if request.address not in self.router_addresses:
            return PortViews([])
        port = PortRecord(
            id="gate",
            network_id=NET,
            project_id="",
            mac_address="",
            device_id="r",
            device_owner=ROUTER_INTERFACE,
        )
        return PortViews([PortView(port, "ACTIVE")])


class World:
    def __init__(self, folder: Path, peers: Any) -> None:
        self.peers = peers
        settings = SubnetSettings(subnets_per_network_max=4)
        self.app = SubnetApp(foundation(folder), Needed(*[peers] * 8), settings)
        self.service: Any = self.app.resources[0][1]

    async def create(self, *cidrs: str, network: str = NET, **more: Any) -> list[Any]:
        bodies = [
            {"network_id": network, "cidr": c, "ip_version": 6 if ":" in c else 4, **more}
            for c in cidrs
        ]
        items = body.created(SUBNET, msgspec.json.encode({"subnets": bodies}), 100).items
        for item in items:
            item.setdefault("project_id", "p")
        written = await self.service.create(CreateRequest(ADMIN, items))
        return [msgspec.json.decode(raw) for raw in written.items]

    async def update(self, id_: str, **changes: Any) -> Any:
        written = await self.service.update(UpdateRequest(ADMIN, id_, changes))
        return msgspec.json.decode(written.items[0])

    async def delete(self, id_: str) -> None:
        await self.service.delete(DeleteRequest(ADMIN, id_))

    async def cidrs(self) -> set[str]:
        reply = await self.service.list_page(ListRequest(ADMIN, ListQuery()))
        return {msgspec.json.decode(raw)["cidr"] for raw in reply.items}

    def pool_cidrs(self) -> set[str]:
        return {pool.cidr for pool in self.peers.pools.values()}


def play(
    folder: Path, scene: Callable[[World], Awaitable[None]], peers: Peers | None = None
) -> None:
    async def recovered(world: World) -> None:
        await world.app.recover()
        await scene(world)

    manager.play(lambda: World(folder, peers or Peers()), recovered)


def test_subnets_of_a_network_never_overlap_whoever_comes_at_once(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        wanted = ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25", "10.0.0.0/23"] * 4
        done = await asyncio.gather(*map(world.create, wanted), return_exceptions=True)
        assert all(isinstance(each, list | Refusal) for each in done)
        cidrs = await world.cidrs()
        assert cidrs in ({"10.0.0.0/24"}, {"10.0.0.0/25", "10.0.0.128/25"}, {"10.0.0.0/23"})
        assert world.pool_cidrs() == cidrs

    play(tmp_path, scene)


def test_networks_may_have_the_same_cidr(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.create("10.0.0.0/24")
        await world.create("10.0.0.0/24", network=OTHER_NET)
        assert await refused(world.create("10.0.0.0/25")) == "InvalidInput"

    play(tmp_path, scene)


def test_a_bulk_that_overlaps_itself_makes_nothing(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        assert await refused(world.create("10.0.0.0/24", "10.0.0.0/25")) == "InvalidInput"
        assert await world.cidrs() == set()
        assert world.pool_cidrs() == set()

    play(tmp_path, scene)


def test_an_unknown_or_going_network_gets_no_subnet(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        unknown = "a3b1c0de-0000-4000-8000-00000000000f"
        assert await refused(world.create("10.0.0.0/24", network=unknown)) == "NetworkNotFound"
        await world.create("10.0.0.0/24")
        await world.service.drop_network(NetworkSubnets(NET, "p"))
        assert await world.cidrs() == set()
        assert world.pool_cidrs() == set()
        assert await refused(world.create("10.0.0.0/24")) == "NetworkNotFound"
        await world.service.lift(Ids([NET]))
        await world.create("10.0.0.0/24")

    play(tmp_path, scene)


def test_a_network_has_a_limited_number_of_subnets(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.create(*[f"10.0.{i}.0/24" for i in range(4)])
        assert await refused(world.create("10.0.9.0/24")) == "SubnetsExhausted"

    play(tmp_path, scene)


def test_an_id_that_is_taken_leaves_its_owner_as_it_is(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create("10.0.0.0/24")
        again = world.create("10.1.0.0/24", id=made["id"])
        assert await refused(again) == "SubnetIdInUse"
        assert world.pool_cidrs() == {"10.0.0.0/24"}

    play(tmp_path, scene)


def test_a_used_subnet_stays_and_is_not_left_fenced(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create("10.0.0.0/24")
        world.peers.used.add(made["id"])
        assert await refused(world.delete(made["id"])) == "SubnetInUse"
        assert not world.peers.fenced
        world.peers.used.clear()
        await world.delete(made["id"])
        assert world.pool_cidrs() == set()

    play(tmp_path, scene)


def test_a_gateway_that_a_port_holds_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        pools = [{"start": "10.0.0.10", "end": "10.0.0.20"}]
        (made,) = await world.create("10.0.0.0/24", allocation_pools=pools)
        world.peers.taken_gateways.add("10.0.0.9")
        moved = world.update(made["id"], gateway_ip="10.0.0.9")
        assert await refused(moved) == "IpAddressAlreadyAllocated"
        assert world.peers.pools[made["id"]].reserved == ("10.0.0.1",)
        assert (await world.update(made["id"], gateway_ip="10.0.0.8"))["gateway_ip"] == "10.0.0.8"
        assert world.peers.pools[made["id"]].reserved == ("10.0.0.8",)
        assert (await world.update(made["id"], gateway_ip=None))["gateway_ip"] is None
        assert world.peers.pools[made["id"]].reserved == ()

    play(tmp_path, scene)


def test_a_gateway_that_a_router_has_stays(tmp_path: Path) -> None:
    async def main(world: World) -> None:
        pools = [{"start": "10.0.0.2", "end": "10.0.0.99"}]
        (subnet,) = await world.create("10.0.0.0/24", allocation_pools=pools)
        world.peers.router_addresses.add("10.0.0.1")

        for gateway in ("10.0.0.254", None):
            with pytest.raises(Conflict, match="already in use by port gate") as refused:
                await world.update(subnet["id"], gateway_ip=gateway)
            assert refused.value.type == "GatewayIpInUse"

    play(tmp_path, main)


@pytest.mark.parametrize("step", ["save_pools", "saved_pools", "fence_subnets", "removed"])
def test_a_crash_at_any_step_leaves_pools_as_the_rows_say(tmp_path: Path, step: str) -> None:
    peers = Peers()

    async def crash(world: World) -> None:
        (kept,) = await world.create("10.0.0.0/24")
        # The process is gone at the step: nothing of the failed call runs on.
        world.service._settle = _gone
        peers.fail_at = step
        if step in ("fence_subnets", "removed"):
            with pytest.raises(RuntimeError):
                await world.delete(kept["id"])
        else:
            with pytest.raises(RuntimeError):
                await world.create("10.1.0.0/24")

    async def restart(world: World) -> None:
        assert world.pool_cidrs() == await world.cidrs()
        assert not peers.fenced & {pool.subnet_id for pool in peers.pools.values()}
        assert await world.app._service._store.unsettled() == []

    play(tmp_path, crash, peers)
    play(tmp_path, restart, peers)


async def _gone(ids: object) -> None:
    """What a dead process does."""
    raise RuntimeError("gone")


POOLED = {"network_id": NET, "ip_version": 4, "subnetpool_id": POOL}


async def create_pooled(world: World, **more: Any) -> Any:
    items = body.created(SUBNET, msgspec.json.encode({"subnet": POOLED | more}), 1).items
    items[0]["project_id"] = "p"
    written = await world.service.create(CreateRequest(ADMIN, items))
    return msgspec.json.decode(written.items[0])


def test_a_subnet_has_the_prefix_that_its_pool_gave_until_it_goes(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        made = await create_pooled(world)
        assert (made["cidr"], made["subnetpool_id"]) == ("10.9.0.0/24", POOL)
        assert set(world.peers.allocated) == {made["id"]}
        await world.delete(made["id"])
        assert not world.peers.allocated

    play(tmp_path, scene)


@pytest.mark.parametrize("step", ["allocated", "save_pools", "saved_pools"])
def test_a_prefix_goes_back_when_its_subnet_is_not_made(tmp_path: Path, step: str) -> None:
    async def scene(world: World) -> None:
        world.peers.fail_at = step
        with pytest.raises(RuntimeError):
            await create_pooled(world)
        assert not world.peers.allocated
        assert await world.cidrs() == set()

    play(tmp_path, scene)


def test_a_prefix_is_given_back_after_a_crash(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        # As a crash leaves it: noted, allocated, and not saved.
        await world.service._store.unsettle(["gone"])
        world.peers.allocated["gone"] = "10.9.0.0/24"
        await world.app.recover()
        assert not world.peers.allocated

    play(tmp_path, scene)


@pytest.mark.parametrize(("step", "pool"), [("adopt", None), ("adopted", POOL)])
def test_a_crash_while_subnets_come_into_a_pool_leaves_them_where_their_prefixes_are(
    tmp_path: Path, step: str, pool: str | None
) -> None:
    peers = Peers()

    async def crash(world: World) -> None:
        (kept,) = await world.create("10.0.0.0/24")
        # The process is gone at the step: nothing of the failed call runs on.
        world.service._settle = _gone
        peers.fail_at = step
        request = OnboardRequest(
            network_id=kept["network_id"], pool_id=POOL, ip_version=4, viewer=None, trace=""
        )
        with pytest.raises(RuntimeError):
            await world.service.onboard(request)

    async def after(world: World) -> None:
        (kept,) = await world.app._service._store.of_networks([NET])
        assert kept.subnetpool_id == pool

    play(tmp_path, crash, peers)
    play(tmp_path, after, peers)


def test_subnets_of_a_family_are_all_of_one_pool(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.create("10.0.0.0/24", "fd00::/64")
        assert await refused(create_pooled(world)) == "NetworkSubnetPoolAffinityError"
        assert not world.peers.allocated

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "fields",
    [
        {"subnetpool_id": None},
        {"subnetpool_id": None, "prefixlen": 24},
        {"prefixlen": 24, "cidr": "10.0.0.0/24"},
        {"use_default_subnetpool": True},
        {"allocation_pools": [{"start": "10.9.0.2", "end": "10.9.0.3"}]},
    ],
)
def test_what_names_no_prefix_or_two_is_refused(tmp_path: Path, fields: Any) -> None:
    async def scene(world: World) -> None:
        assert await refused(create_pooled(world, **fields)) == "BadRequest"

    play(tmp_path, scene)


def test_networks_show_a_subnet_before_its_write_is_answered(tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        (made,) = await world.create("10.0.0.0/24")
        await world.update(made["id"], name="n")
        await world.delete(made["id"])

        assert world.peers.shown == [1, 2, 3]

    play(tmp_path, scene)


def test_who_sees_all_asks_nobody_which_networks_are_shared(tmp_path: Path) -> None:
    peers = Peers()

    async def scene(world: World) -> None:
        async def listed(caller: Caller, *filters: Filter) -> int:
            query = ListQuery(filters=filters)
            return len((await world.service.list_page(ListRequest(caller, query))).items)

        await world.create("10.0.0.0/24")
        assert await listed(ADMIN) == 1
        assert peers.asked_for_shared == 0
        assert await listed(ADMIN, Filter("shared", (True,))) == 0
        assert await listed(Caller(project_id="other")) == 0
        assert peers.asked_for_shared == 2

    play(tmp_path, scene, peers)
