"""A kind that is only read, computed whenever it is asked for."""

from collections.abc import Sequence
from typing import Protocol

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
from alcor.resource.selection import Item, select
from alcor.values.errors import NotFound, Refusal

_READ_ONLY = Refusal("The resource is read only.")  # the door lets nobody ask


class Listing(Protocol):
    """All of a kind that there is for a caller; each has an `id`, to be named and sorted by."""

    async def __call__(self, caller: Caller) -> Sequence[Item]: ...


class ListedService:
    """Keeps the contract ResourceManager, for reading only."""

    def __init__(
        self, items: Listing, missing: type[NotFound] | None = None, *, shows_id: bool = True
    ) -> None:
        self._items = items
        self._missing = missing or NotFound
        self._shows_id = shows_id

    async def list_page(self, request: ListRequest) -> ListReply:
        found = select(await self._items(request.caller), request.query, self._missing)
        return ListReply([self._shown(each) for each in found])

    def _shown(self, item: Item) -> Raw:
        shown = {name: value for name, value in item.items() if self._shows_id or name != "id"}
        return Raw(msgspec.json.encode(shown))

    async def create(self, request: CreateRequest) -> Written:
        raise _READ_ONLY

    async def update(self, request: UpdateRequest) -> Written:
        raise _READ_ONLY

    async def delete(self, request: DeleteRequest) -> Written:
        raise _READ_ONLY
