"""What the topology manager needs of others: to make, find and delete what topologies are."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from alcor.contracts.resources import (
    ActingManager,
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListRequest,
    ResourceManager,
)
from alcor.resource import body
from alcor.resource.declaration import Resource
from alcor.values.errors import NotFound


class Kind(NamedTuple):
    """A kind of others', with the manager that keeps it."""

    resource: Resource
    manager: ResourceManager

    async def found(self, caller: Caller, **fields: Any) -> list[Mapping[str, Any]]:
        """Those that the caller sees with these fields."""
        filters = tuple(Filter(name, (value,)) for name, value in fields.items())
        reply = await self.manager.list_page(ListRequest(caller, ListQuery(filters=filters)))
        return [msgspec.json.decode(each) for each in reply.items]

    async def ensure(self, caller: Caller, values: Mapping[str, Any]) -> None:
        """Make one of a chosen id, as a POST of these values would, unless it is there."""
        if await self.found(caller, id=values["id"]):
            return
        content = msgspec.json.encode({self.resource.key: values})
        items = body.created(self.resource, content, 1).items
        await self.manager.create(CreateRequest(caller, items))

    async def gone(self, caller: Caller, id_: str) -> None:
        """Delete one; that it is not there is no error."""
        try:
            await self.manager.delete(DeleteRequest(caller, id_))
        except NotFound:
            return

    async def act(self, caller: Caller, id_: str, action: str, **arguments: Any) -> None:
        """A call on one beyond the four verbs."""
        assert isinstance(self.manager, ActingManager)
        await self.manager.act(ActRequest(caller, id_, action, arguments))


class Kinds(NamedTuple):
    """What topologies consist of, and are made of."""

    networks: Kind
    subnets: Kind
    routers: Kind
    pools: Kind
    ports: Kind
