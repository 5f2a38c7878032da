"""What the gateway asks of the manager that owns a resource: the same verbs for every kind.

Items travel as the JSON of the resource (`msgspec.Raw`), made once by the manager and passed on
by the gateway unread where nothing must be hidden.
"""

from typing import Any, Protocol, runtime_checkable

import msgspec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as the door found out."""

    project_id: str
    admin: bool = False
    roles: tuple[str, ...] = ()
    request_id: str = ""  # with the traceparent of a traced one (`values.traceparent`)
    user_id: str = ""
    system: bool = False  # a token of the whole system: of no project
    service_roles: tuple[str, ...] = ()  # of the service that asks on the caller's behalf

    @property
    def sees_all(self) -> bool:
        """Administrators and services look into every project; policy says what they may do."""
        return self.admin or "service" in self.roles


CHANGED_SINCE = "changed_since"  # a filter of every kind that has `updated_at`: not before then

# Filters of every kind that has `tags`: has all, has one, has not all, has none of the values.
TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")


class Filter(msgspec.Struct, frozen=True):
    """A field must equal one of the values (already of the field's type)."""

    field: str
    values: tuple[str | int | bool | None, ...]


class Sort(msgspec.Struct, frozen=True):
    """A sort key and its direction."""

    field: str
    descending: bool = False


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list. Filters on different fields must all hold."""

    filters: tuple[Filter, ...] = ()
    sorts: tuple[Sort, ...] = ()  # the id is always added as the last key
    limit: int = 0  # 0: no limit
    marker: str = ""  # id of the last item of the page before; "" is the start
    reverse: bool = False  # towards the start


class ListRequest(msgspec.Struct, frozen=True):
    caller: Caller
    query: ListQuery


class ListReply(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw]


class CreateRequest(msgspec.Struct, frozen=True):
    """Make all of `items`, or none; fields are checked and of their types, defaults filled in."""

    caller: Caller
    items: list[dict[str, Any]]


class UpdateRequest(msgspec.Struct, frozen=True):
    """Change the fields in `changes` (checked and of their types) of one resource."""

    caller: Caller
    id: str
    changes: dict[str, Any]
    if_revision: int | None = None  # from If-Match: refuse with STALE unless it is this


class DeleteRequest(msgspec.Struct, frozen=True):
    caller: Caller
    id: str


class Written(msgspec.Struct, frozen=True):
    """What a write made, in the order of the request, and the revision to wait for."""

    items: list[msgspec.Raw]
    revision: str  # "<manager>:<sequence>", see values/revision.py


class ResourceManager(Protocol):
    """The verbs of one kind of resource. `Refusal` when the request can't be had."""

    async def list_page(self, request: ListRequest) -> ListReply:
        """A page of what the caller may see, each item as JSON; none is an empty page."""
        ...

    async def create(self, request: CreateRequest) -> Written:
        """All of the items, in their order; or a refusal, and none is made."""
        ...

    async def update(self, request: UpdateRequest) -> Written:
        """The one item as it is after the changes; or a refusal, and it is as it was."""
        ...

    async def delete(self, request: DeleteRequest) -> Written:
        """No items. Refused while it is in use; not found when the caller can't see it."""
        ...


class ActRequest(msgspec.Struct, frozen=True):
    """A call on one resource beyond the four verbs; arguments are checked and of their types."""

    caller: Caller
    id: str
    action: str
    arguments: dict[str, Any]


@runtime_checkable
class ActingManager(ResourceManager, Protocol):
    """The manager of a kind that has actions. The reply has one item: the answer."""

    async def act(self, request: ActRequest) -> Written:
        """The one answer, as JSON; what an action means is said where it is declared."""
        ...
