"""Use cases of service profiles, and of those that a flavor has."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.flavor.model import (
    PROVIDERS,
    ServiceProfile,
    ServiceProfileInUse,
    ServiceProfileNotFound,
    changed_profile,
    profile,
    with_profile,
    without_profile,
)
from alcor.managers.flavor.sql import FLAVORS, PROFILES
from alcor.resource.selection import Item, select
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.values.errors import HTTPBadRequest


class ProfileService(KeptService[ServiceProfile]):
    """Keeps the contract ResourceManager."""

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> ServiceProfile:
        return profile(values, id_)

    def changed(self, old: ServiceProfile, changes: Mapping[str, Any], now: str) -> ServiceProfile:
        return changed_profile(old, changes)

    def check_changed(self, tx: KeptTransaction, old: ServiceProfile, new: ServiceProfile) -> None:
        _check_unused(tx, old.id)

    def check_gone(self, tx: KeptTransaction, held: ServiceProfile) -> None:
        _check_unused(tx, held.id)


class ProfilesOfFlavor:
    """Keeps the contract ResourceManager for the profiles that one flavor has."""

    def __init__(self, store: KeptStore) -> None:
        self._store = store

    async def list_page(self, request: ListRequest) -> ListReply:
        (flavor_id,) = next(f.values for f in request.query.filters if f.field == "flavor_id")
        found = await self._store.read(lambda tx: tx.get(FLAVORS, str(flavor_id)))
        items: list[Item] = [{"id": id_, "flavor_id": flavor_id} for id_ in found.service_profiles]
        page = select(items, request.query, ServiceProfileNotFound)
        return ListReply([_shown(str(item["id"])) for item in page])

    async def create(self, request: CreateRequest) -> Written:
        """The flavor has one profile more."""

        def work(tx: KeptTransaction) -> Written:
            for item in request.items:
                held = tx.get(FLAVORS, item["flavor_id"])
                tx.save(FLAVORS, with_profile(held, tx.get(PROFILES, item["id"]).id))
            return tx.written([_shown(item["id"]) for item in request.items])

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        raise HTTPBadRequest("A flavor's profile has nothing to change.")

    async def delete(self, request: DeleteRequest) -> Written:
        """The flavor has the profile no more."""
        flavor_id, _, id_ = request.id.partition("/")

        def work(tx: KeptTransaction) -> Written:
            tx.save(FLAVORS, without_profile(tx.get(FLAVORS, flavor_id), id_))
            return tx.written([])

        return await self._store.write(work, request.caller.request_id)


async def providers(caller: Caller) -> Sequence[Item]:
    """Who provides services."""
    return [
        {"id": each.name, "service_type": each.service_type, "name": each.name,
         "default": each.default}
        for each in PROVIDERS
    ]  # fmt: skip


def _check_unused(tx: KeptTransaction, id_: str) -> None:
    flavors = tx.where(FLAVORS, "1 = 1")  # an operator has a handful
    if any(id_ in each.service_profiles for each in flavors):
        raise ServiceProfileInUse(id_)


def _shown(id_: str) -> Raw:
    return Raw(msgspec.json.encode({"id": id_}))
