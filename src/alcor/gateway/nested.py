"""Collections under a member of another: `/v2.0/floatingips/{floatingip_id}/port_forwardings`.

Under each parent there is a collection like any other, whose manager is asked about the children
of this parent only. Whether the parent is there, and theirs, is the manager's to say.
"""

from typing import TypeVar

import msgspec

from alcor.contracts.resources import (
    ActingManager,
    ActRequest,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListReply,
    ListRequest,
    ResourceManager,
    UpdateRequest,
    Written,
)
from alcor.gateway.collections import Collection
from alcor.gateway.policy.access import Access
from alcor.gateway.requests import Limits
from alcor.resource.declaration import Resource
from alcor.values.errors import NotFound

R = TypeVar("R", UpdateRequest, DeleteRequest, ActRequest)


class Nested:
    """One kind under all its parents."""

    def __init__(
        self, resource: Resource, manager: ResourceManager, limits: Limits, access: Access
    ) -> None:
        self.resource = resource
        self._manager = manager
        self._limits = limits
        self._access = access

    def under(self, parent_id: str) -> Collection:
        """The collection of one parent."""
        resource = self.resource
        head, tail = resource.place
        manager = Children(self._manager, resource, parent_id)
        path = f"{head}/{parent_id}/{tail}"
        return Collection(resource, manager, self._limits, self._access, path)


class Children:
    """Keeps ResourceManager for the children of one parent."""

    def __init__(self, manager: ResourceManager, resource: Resource, parent_id: str) -> None:
        self._manager = manager
        self._resource = resource
        self._parent = {resource.parent: parent_id}
        self._only = Filter(resource.parent, (parent_id,))

    async def list_page(self, request: ListRequest) -> ListReply:
        query = request.query
        within = msgspec.structs.replace(query, filters=(*query.filters, self._only))
        return await self._manager.list_page(ListRequest(request.caller, within))

    async def create(self, request: CreateRequest) -> Written:
        items = [item | self._parent for item in request.items]
        return await self._manager.create(CreateRequest(request.caller, items))

    async def update(self, request: UpdateRequest) -> Written:
        return await self._manager.update(await self._of_parent(request))

    async def delete(self, request: DeleteRequest) -> Written:
        return await self._manager.delete(await self._of_parent(request))

    async def act(self, request: ActRequest) -> Written:
        assert isinstance(self._manager, ActingManager)
        return await self._manager.act(await self._of_parent(request))

    async def _of_parent(self, request: R) -> R:
        """The request by the id that the manager knows."""
        if self._resource.local_ids:
            (parent_id,) = self._parent.values()
            return msgspec.structs.replace(request, id=f"{parent_id}/{request.id}")
        await self._check(request)
        return request

    async def _check(self, request: UpdateRequest | DeleteRequest | ActRequest) -> None:
        """That it is a child of this parent: one never becomes another's."""
        only = ListQuery(filters=(Filter("id", (request.id,)),), limit=1)
        found = await self.list_page(ListRequest(request.caller, only))
        if not found.items:
            title = self._resource.title
            raise NotFound(f"{title} {request.id} could not be found.", type=f"{title}NotFound")
