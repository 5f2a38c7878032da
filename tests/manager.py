"""One manager as its callers use it, without HTTP: bodies in, what they are shown out."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
import pytest

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListRequest,
    ResourceManager,
    Sort,
    UpdateRequest,
)
from alcor.intent import records
from alcor.intent.relay import Relay
from alcor.keyed_log.log import KeyedLog
from alcor.resource import body
from alcor.resource.declaration import Resource
from alcor.values.errors import Refusal


class App(Protocol):
    """As much of a manager as is asked here."""

    @property
    def resources(self) -> Sequence[tuple[Resource, ResourceManager]]: ...

    @property
    def relay(self) -> Relay: ...


class ManagerWorld:
    """A manager, and who calls it: `caller`, where a call names nobody else."""

    def __init__(self, app: App, log: KeyedLog, caller: Caller) -> None:
        self.app = app
        self.log = log
        self._caller = caller
        self.managers = {resource.name: (resource, each) for resource, each in app.resources}

    async def create(
        self, kind: str, *bodies: dict[str, Any], caller: Caller | None = None
    ) -> list[Any]:
        """What bodies make that a gateway would let in."""
        resource, manager = self.managers[kind]
        by = caller or self._caller
        content = msgspec.json.encode({resource.collection: bodies})
        items = body.created(resource, content, 1_000).items
        for item in items:
            if "project_id" in resource.field_by_name:
                item.setdefault("project_id", by.project_id)
        return _decoded((await manager.create(CreateRequest(by, items))).items)

    async def update(
        self,
        kind: str,
        id_: str,
        caller: Caller | None = None,
        if_revision: int | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """What it is like after these changes."""
        request = UpdateRequest(caller or self._caller, id_, changes, if_revision)
        found: dict[str, Any]
        (found,) = _decoded((await self.managers[kind][1].update(request)).items)
        return found

    async def delete(self, kind: str, id_: str, caller: Caller | None = None) -> str:
        """The revision of it."""
        request = DeleteRequest(caller or self._caller, id_)
        return (await self.managers[kind][1].delete(request)).revision

    async def listed(
        self, kind: str, caller: Caller | None = None, sort: str = "id", **filters: Any
    ) -> list[Any]:
        """What the caller sees of it."""
        wanted = tuple(Filter(name, (value,)) for name, value in filters.items())
        query = ListQuery(filters=wanted, sorts=(Sort(sort),))
        request = ListRequest(caller or self._caller, query)
        return _decoded((await self.managers[kind][1].list_page(request)).items)

    async def told(self, kind: str) -> dict[str, Any]:
        """The living records of a kind by id, once the log has been told all that was saved."""
        await self.app.relay.rebuild()
        snapshot = await self.log.snapshot(records.key(kind, ""))
        return {
            entry.key.partition("/")[2]: records.decode(entry.key, entry.value)
            for entry in snapshot.entries
            if entry.value is not None
        }


class HasApp(Protocol):
    """A world of one manager."""

    @property
    def app(self) -> Any: ...


World = TypeVar("World", bound=HasApp)


def play(world_of: Callable[[], World], scene: Callable[[World], Awaitable[None]]) -> None:
    """Let a scene play in a world, which ends with it."""

    async def main() -> None:
        world = world_of()
        try:
            await scene(world)
        finally:
            await world.app.database.close()

    asyncio.run(main())


async def refusal_of(attempt: Awaitable[object]) -> str:
    """The type of the refusal that an attempt meets."""
    with pytest.raises(Refusal) as caught:
        await attempt
    return caught.value.type


def _decoded(items: Sequence[Any]) -> list[Any]:
    return [msgspec.json.decode(raw) for raw in items]
