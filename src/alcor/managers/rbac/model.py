"""What policies may say, and pages of several lists as one. Pure."""

import heapq
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from alcor.contracts.resources import Filter, ListQuery
from alcor.values.errors import BadRequest, InvalidInput


class InvalidActionForType(BadRequest):
    """The action makes no sense for this kind of object."""

    def __init__(self, action: str, object_type: str, actions: Sequence[str]) -> None:
        super().__init__(
            f"Invalid action '{action[:255]}' for object type '{object_type}'. "
            f"Valid actions: {', '.join(actions)}."
        )


def check(object_type: str, action: str, actions_by_type: Mapping[str, Sequence[str]]) -> None:
    """Refuse what can't be shared, and actions that a kind does not know."""
    if object_type not in actions_by_type:
        raise InvalidInput(
            f"Invalid input for operation: '{object_type[:255]}' is not a valid object type: "
            f"{', '.join(sorted(actions_by_type))}."
        )
    if action not in actions_by_type[object_type]:
        raise InvalidActionForType(action, object_type, actions_by_type[object_type])


def types_asked(query: ListQuery, types: Sequence[str]) -> list[str]:
    """The kinds of object whose policies a list may have."""
    asked = [set(f.values) for f in query.filters if f.field == "object_type"]
    return [each for each in types if all(each in some for some in asked)]


def is_descending(query: ListQuery) -> bool:
    """Policies are sorted by id only, one way or the other."""
    return any(sort.descending for sort in query.sorts if sort.field == "id")


def beyond_marker(query: ListQuery) -> ListQuery:
    """The query to each of several lists: the marker is a policy of one of them only."""
    if not query.marker:
        return query
    after = is_descending(query) == query.reverse
    condition = Filter("after" if after else "before", (query.marker,))
    return msgspec.structs.replace(query, marker="", filters=(*query.filters, condition))


def merged(pages: Sequence[Sequence[Raw]], query: ListQuery) -> list[Raw]:
    """One page of several, each in the order of the query."""
    found = list(heapq.merge(*pages, key=id_of, reverse=is_descending(query)))
    if not query.limit:
        return found
    return found[-query.limit :] if query.reverse else found[: query.limit]


class _Id(msgspec.Struct):
    id: str


_decode = msgspec.json.Decoder(_Id).decode


def id_of(document: Raw) -> str:
    """The id of a policy's document."""
    return _decode(document).id
