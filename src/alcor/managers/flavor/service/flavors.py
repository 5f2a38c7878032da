"""Use cases of flavors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.flavors import FlavorWish
from alcor.contracts.peers import Done, Ids
from alcor.contracts.resources import ActRequest, Caller, DeleteRequest, Written
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
from alcor.runtime.kept import KeptStore, KeptTransaction
from alcor.runtime.kept_service import KeptService, Makers


class FlavorService(KeptService[Flavor]):
    """Keeps the contracts ActingManager and FlavorPeer."""

    def __init__(self, store: KeptStore, makers: Makers, routers: RouterPeer) -> None:
        super().__init__(store, FLAVORS, makers)
        self._routers = routers

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> Flavor:
        return flavor(values, id_)

    def changed(self, old: Flavor, changes: Mapping[str, Any], now: str) -> Flavor:
        return changed_flavor(old, changes)

    def check_new(self, tx: KeptTransaction, things: Sequence[Flavor], caller: Caller) -> None:
        _check_profiles(tx, (id_ for each in things for id_ in each.service_profiles))

    def check_changed(self, tx: KeptTransaction, old: Flavor, new: Flavor) -> None:
        _check_profiles(tx, new.service_profiles)

    async def delete(self, request: DeleteRequest) -> Written:
        """Refused while a router has it; one that is made meanwhile keeps an id that is gone."""
        if (await self._routers.with_flavors(Ids([request.id]))).ids:
            raise FlavorInUse(request.id)
        return await super().delete(request)

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


def _check_profiles(tx: KeptTransaction, ids: Iterable[str]) -> None:
    for id_ in dict.fromkeys(ids):
        tx.get(PROFILES, id_)
