"""Pools and their prefixes in either database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from tests.fixtures.foundation import foundation

from alcor.contracts.peers import Ids
from alcor.contracts.resources import Caller, CreateRequest, Filter, ListQuery, ListRequest
from alcor.contracts.subnetpools import Onboarded, OnboardRequest, PrefixRequest, PrefixWish
from alcor.managers.subnetpool.api import SUBNETPOOL
from alcor.managers.subnetpool.app import SubnetPoolApp
from alcor.resource.body import created
from alcor.values.errors import Refusal

MINE, OTHER = Caller(project_id="mine"), Caller(project_id="other")


class Nobody:
    """A subnet manager that has no subnets."""

    async def onboard(self, request: OnboardRequest) -> Onboarded:
        return Onboarded([], "subnet:0")


class Pools:
    def __init__(self, place: Any) -> None:
        self.app = SubnetPoolApp(foundation(place), Nobody())
        self.service: Any = self.app.resources[0][1]
        self.prefixes: Any = self.app.peers[0][1]

    async def create(self, caller: Caller = MINE, **fields: Any) -> Any:
        body = {"name": "p", "prefixes": ["10.0.0.0/24"], "min_prefixlen": 24} | fields
        items = created(SUBNETPOOL, msgspec.json.encode({"subnetpool": body}), 1).items
        items[0]["project_id"] = caller.project_id
        written = await self.service.create(CreateRequest(caller, items))
        return msgspec.json.decode(written.items[0])

    async def listed(self, caller: Caller = MINE, **filters: Any) -> list[str]:
        wanted = tuple(Filter(name, (value,)) for name, value in filters.items())
        reply = await self.service.list_page(ListRequest(caller, ListQuery(filters=wanted)))
        return [msgspec.json.decode(raw)["name"] for raw in reply.items]

    async def allocate(self, subnet: str, pool: str, caller: Caller = MINE) -> str:
        wish = PrefixWish(subnet_id=subnet, project_id="mine", pool_id=pool, ip_version=4)
        reply = await self.prefixes.allocate(PrefixRequest([wish], caller.project_id))
        return str(reply.grants[0].cidr)


def play(place: Any, scene: Callable[[Pools], Awaitable[None]]) -> None:
    async def main() -> None:
        pools = Pools(place)
        try:
            await scene(pools)
        finally:
            await pools.app.database.close()

    asyncio.run(main())


def test_a_subnet_that_asks_again_has_its_prefix_and_others_have_theirs_when_it_goes(
    lives: Any,
) -> None:
    async def scene(pools: Pools) -> None:
        pool = (await pools.create())["id"]
        assert await pools.allocate("a", pool) == await pools.allocate("a", pool) == "10.0.0.0/24"
        with pytest.raises(Refusal) as caught:
            await pools.allocate("b", pool)
        assert caught.value.type == "SubnetAllocationError"
        await pools.prefixes.release(Ids(["a", "never"]))
        assert await pools.allocate("b", pool) == "10.0.0.0/24"

    play(lives.place, scene)


def test_others_use_and_see_what_is_shared_only(lives: Any) -> None:
    async def scene(pools: Pools) -> None:
        private = await pools.create(name="private")
        shared = await pools.create(name="shared", shared=True, is_default=True)
        assert await pools.listed(OTHER) == ["shared"]
        assert await pools.listed(shared=False, is_default=False) == ["private"]
        assert await pools.allocate("a", shared["id"], OTHER)
        with pytest.raises(Refusal) as caught:
            await pools.allocate("b", private["id"], OTHER)
        assert caught.value.type == "SubnetPoolNotFound"
        with pytest.raises(Refusal) as caught:
            await pools.create(name="again", is_default=True)
        assert caught.value.type == "InvalidInput"

    play(lives.place, scene)
