"""A flavor goes while a router is being made with it: either it stays, or there is no router."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.contract.managers.mortal import Mortal
from tests.contract.managers.test_routing_sagas import ADMIN, Region
from tests.fixtures.foundation import foundation

from alcor.contracts.flavors import FlavorPeer, FlavorWish
from alcor.contracts.peers import Done, Ids
from alcor.contracts.resources import CreateRequest, DeleteRequest, ListQuery, ListRequest
from alcor.contracts.routing import RouterPeer
from alcor.managers.flavor.app import FlavorApp
from alcor.resource import body
from alcor.runtime.calls.rpc import loopback
from alcor.values.errors import Conflict, NotFound

only_sqlite = pytest.mark.parametrize("lives", ["sqlite"], indirect=True)
GOLD = "a3b1c0de-0000-4000-8000-000000000001"


class Meanwhile:
    """Asks the flavor manager for routers, and lets something happen right after the answer."""

    def __init__(self, flavors: FlavorPeer) -> None:
        self._flavors = flavors
        self.happens: Callable[[], Awaitable[object]] | None = None

    async def check(self, request: FlavorWish) -> Done:
        done = await self._flavors.check(request)
        happens, self.happens = self.happens, None
        if happens is not None:
            await happens()
        return done


class Shop(NamedTuple):
    """The router and the flavor manager, with a flavor in it."""

    region: Region
    app: FlavorApp
    meanwhile: Meanwhile

    async def make(self, id_: str = "") -> str:
        fields = {"name": "gold", "service_type": "L3_ROUTER_NAT"} | ({"id": id_} if id_ else {})
        kind, manager = self.app.resources[0]
        items = list(body.created(kind, msgspec.json.encode({"flavor": fields}), 1).items)
        (made,) = (await manager.create(CreateRequest(ADMIN, items))).items
        found: str = msgspec.json.decode(made)["id"]
        return found

    async def delete(self, id_: str) -> None:
        await self.app.resources[0][1].delete(DeleteRequest(ADMIN, id_))

    async def routers(self) -> list[Any]:
        return list((await self.region.routers.list_page(ListRequest(ADMIN, ListQuery()))).items)


def router_peer(region: Region) -> RouterPeer:
    served: RouterPeer = dict(region.router_app.peers)[RouterPeer]
    return served


@asynccontextmanager
async def shop_of(lives: Any, world: Any) -> AsyncIterator[Shop]:
    region = Region(lives, world)
    routers: Any = Mortal(
        loopback(RouterPeer, dict(region.router_app.peers)[RouterPeer]), region.fate
    )
    app = FlavorApp(foundation(lives.place), routers)
    meanwhile = Meanwhile(loopback(FlavorPeer, dict(app.peers)[FlavorPeer]))
    region.later["flavor"] = meanwhile
    try:
        yield Shop(region, app, meanwhile)
    finally:
        await app.database.close()
        await region.close()


@only_sqlite
def test_a_router_does_not_get_a_flavor_that_goes_while_it_is_made(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world, shop_of(lives, world) as shop:
            gold = await shop.make()
            shop.meanwhile.happens = lambda: shop.delete(gold)

            with pytest.raises(NotFound) as refused:
                await shop.region.router(flavor_id=gold)

            assert refused.value.type == "FlavorNotFound"
            assert await shop.routers() == []

    asyncio.run(main())


@only_sqlite
def test_a_flavor_that_could_not_go_is_given_to_routers_as_before(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world, shop_of(lives, world) as shop:
            gold = await shop.make()
            first = await shop.region.router(flavor_id=gold)

            with pytest.raises(Conflict):
                await shop.delete(gold)
            await shop.region.router(flavor_id=gold)
            await shop.region.routers.delete(DeleteRequest(ADMIN, first["id"]))
            with pytest.raises(Conflict):
                await shop.delete(gold)

    asyncio.run(main())


@only_sqlite
def test_the_id_of_a_flavor_long_gone_may_be_another_ones(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world, shop_of(lives, world) as shop:
            await shop.delete(await shop.make(GOLD))

            await shop.make(GOLD)

            assert (await shop.region.router(flavor_id=GOLD))["flavor_id"] == GOLD

    asyncio.run(main())


@only_sqlite
def test_a_deletion_that_a_crash_cut_short_leaves_the_flavor_as_it_was(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world, shop_of(lives, world) as shop:
            gold = await shop.make()
            await dict(shop.region.router_app.peers)[RouterPeer].fence_flavors(
                Ids([gold])
            )  # then it died

            await shop.app.recover()

            assert (await shop.region.router(flavor_id=gold))["flavor_id"] == gold

    asyncio.run(main())
