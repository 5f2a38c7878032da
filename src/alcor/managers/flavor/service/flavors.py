"""Use cases of flavors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.flavors import FlavorWish
from alcor.contracts.peers import Done, Ids
from alcor.contracts.resources import (
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    Written,
)
from alcor.contracts.routing import RouterPeer
from alcor.managers.flavor.model import (
    Flavor,
    FlavorDisabled,
    FlavorInUse,
    InvalidFlavorServiceType,
    changed_flavor,
    flavor,
    providers_of,
)
from alcor.managers.flavor.sql import FLAVORS, PROFILES
from alcor.runtime.locks import Locks
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.writes import Makers


class FlavorService(KeptService[Flavor]):
    """Keeps the contracts ActingManager and FlavorPeer."""

    def __init__(self, store: KeptStore, makers: Makers, routers: RouterPeer) -> None:
        super().__init__(store, FLAVORS, makers)
        self._routers = routers
        self._locks = Locks()

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> Flavor:
        return flavor(values, id_)

    def changed(self, old: Flavor, changes: Mapping[str, Any], now: str) -> Flavor:
        return changed_flavor(old, changes)

    def check_new(self, tx: KeptTransaction, things: Sequence[Flavor], caller: Caller) -> None:
        _check_profiles(tx, (id_ for each in things for id_ in each.service_profiles))

    def check_changed(self, tx: KeptTransaction, old: Flavor, new: Flavor) -> None:
        _check_profiles(tx, new.service_profiles)

    async def create(self, request: CreateRequest) -> Written:
        given = {values["id"] for values in request.items if values.get("id")}
        if given:  # it may be the id of one long gone, whose fence must not bind the new one
            fresh = given - set(await self._store.read(_living))
            await self._routers.lift_flavors(Ids(sorted(fresh)))
        return await super().create(request)

    async def delete(self, request: DeleteRequest) -> Written:
        """Refused while a router has it; no router gets it any more before it goes."""
        ids = Ids([request.id])
        async with self._locks.of(request.id):
            await self._store.read(lambda tx: tx.get(FLAVORS, request.id))
            try:
                if (await self._routers.fence_flavors(ids)).ids:
                    raise FlavorInUse(request.id)
                return await super().delete(request)
            except BaseException:
                # Not a fault to swallow: whatever went wrong, the flavor stays, as it was.
                await self._routers.lift_flavors(ids)
                raise

    async def recover(self) -> None:
        """A deletion that a crash cut short leaves the flavor as it was."""
        await self._routers.lift_flavors(Ids(await self._store.read(_living)))

    async def act(self, request: ActRequest) -> Written:
        """`next_providers`: who would provide a service of the flavor."""

        def work(tx: KeptTransaction) -> list[dict[str, str]]:
            found = tx.get(FLAVORS, request.id)
            return providers_of(found, [tx.get(PROFILES, id_) for id_ in found.service_profiles])

        return Written([Raw(msgspec.json.encode(await self._store.read(work)))], "")

    async def check(self, request: FlavorWish) -> Done:
        """That something may be made with the flavor."""
        found = await self._store.read(lambda tx: tx.get(FLAVORS, request.flavor_id))
        if not found.enabled:
            raise FlavorDisabled
        if found.service_type != request.service_type:
            raise InvalidFlavorServiceType(found.service_type)
        return Done()


def _living(tx: KeptTransaction) -> list[str]:
    return [each.id for each in tx.where(FLAVORS, "1 = 1")]  # an operator has a handful


def _check_profiles(tx: KeptTransaction, ids: Iterable[str]) -> None:
    for id_ in dict.fromkeys(ids):
        tx.get(PROFILES, id_)
