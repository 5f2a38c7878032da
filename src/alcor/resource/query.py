"""Read the query of a list by its resource's declaration: filters, sort keys, page, fields.

A filter given twice means either value, different filters mean all of them (Neutron's API guide,
"Filtering and Column Selection"). What is not a filter or sort key is refused, never ignored.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from alcor.contracts.resources import CHANGED_SINCE, TAG_FILTERS, Filter, ListQuery, Sort
from alcor.resource.declaration import Resource
from alcor.resource.fields import Scalar, boolean_of, shown
from alcor.resource.tags import TAGS, filters_of
from alcor.values.errors import BadRequest, HTTPBadRequest, InvalidInput

parameters_max = 1_000  # of one query
_RESERVED = ("fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir")
_DESCENDING = {"asc": False, "desc": True}


class Page(NamedTuple):
    """What a list was asked for."""

    query: ListQuery
    fields: tuple[str, ...]  # of every item, only these; empty: all
    links: bool  # whether the answer links to its neighbours
    parameters: tuple[tuple[str, str], ...]  # as given, for the links


def parameters(text: bytes) -> list[tuple[str, str]]:
    """The query's names and values; `HTTPBadRequest` when there are too many, or one has a NUL,
    which no database keeps in a text."""
    if not text:
        return []
    try:
        found = parse_qsl(
            text.decode("latin-1"), keep_blank_values=True, max_num_fields=parameters_max
        )
    except ValueError as error:
        raise HTTPBadRequest(f"The query can't be read: {error}") from None
    if b"%00" in text or b"\0" in text:
        raise HTTPBadRequest("The query can't be read: it has a NUL character")
    return found


def fields_of(given: list[tuple[str, str]]) -> tuple[str, ...]:
    """The values of `fields`; empty names are no names."""
    return tuple(value for name, value in given if name == "fields" and value)


def page(resource: Resource, text: bytes, items_max: int) -> Page:
    """The list that a query asks for, of at most `items_max` items."""
    given = parameters(text)
    values: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in given:
        values[name].append(value)
    limit = _limit(values.get("limit", ["0"])[-1])
    query = ListQuery(
        filters=tuple(_filters(resource, values)),
        sorts=_sorts(resource, values.get("sort_key", []), values.get("sort_dir", [])),
        limit=min(limit, items_max) if limit else items_max,
        marker=values.get("marker", [""])[-1],
        reverse=boolean_of(values.get("page_reverse", ["false"])[-1] or "false"),
    )
    return Page(query, fields_of(given), limit > 0, tuple(given))


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        reason = f"Limit must be an integer 0 or greater and not {shown(text)}."
        raise BadRequest(f"Bad limit request: {reason}")
    return int(text)


def no_filter(names: Iterable[str]) -> HTTPBadRequest:
    """The refusal of a list that is asked to be filtered by what is no filter."""
    return HTTPBadRequest(f"{_listed(names)} is invalid attribute for filtering")


def no_sort_key(names: Iterable[str]) -> HTTPBadRequest:
    """The refusal of a list that is asked to be sorted by what is no sort key."""
    return HTTPBadRequest(f"{_listed(names)} is invalid attribute for sort_keys")


def _listed(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(shown, texts))}]"


def _filters(resource: Resource, values: dict[str, list[str]]) -> list[Filter]:
    scalars: dict[str, list[Scalar]] = {}
    special: list[Filter] = []
    unknown: list[str] = []
    for name, texts in values.items():
        if name in _RESERVED:
            continue
        if name in resource.special_filters:
            special += resource.special_filters[name](texts)
            continue
        if name in TAG_FILTERS and TAGS in resource.field_by_name:
            special += filters_of(name, texts)
            continue
        if name == CHANGED_SINCE and "updated_at" in resource.field_by_name:
            special.append(Filter(CHANGED_SINCE, (_time(texts[-1]),)))
            continue
        field = resource.field_by_name.get(name)
        if field is None or not field.is_filter or field.type.of_query is None:
            unknown.append(name)
            continue
        try:
            scalars.setdefault(field.name, []).extend(map(field.type.of_query, texts))
        except ValueError as error:
            raise HTTPBadRequest(f"Invalid input for {name}. Reason: {error}.") from None
    if unknown:
        raise no_filter(unknown)
    return [Filter(name, tuple(wanted)) for name, wanted in scalars.items()] + special


def _time(text: str) -> str:
    """A time of ISO 8601 as resources show it: UTC, whole seconds, so that texts compare as times.

    One without an offset is of UTC. A plus that was not escaped came as a blank.
    """
    try:
        time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        utc = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"The changed_since value {shown(text)} is not a time like 2026-01-31T23:59:59Z."
        raise InvalidInput(f"Invalid input for operation: {message}") from None
    return f"{utc.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _sorts(resource: Resource, keys: list[str], directions: list[str]) -> tuple[Sort, ...]:
    if len(keys) != len(directions):
        raise HTTPBadRequest("The number of sort_keys and sort_dirs must be same")
    unknown = [
        key
        for key in keys
        if (field := resource.field_by_name.get(key)) is None or not field.is_sort_key
    ]
    if unknown:
        raise no_sort_key(unknown)
    if wrong := [each for each in directions if each not in _DESCENDING]:
        raise HTTPBadRequest(
            f"{_listed(wrong)} is invalid value for sort_dirs, valid value is 'asc' and 'desc'"
        )
    sorts: dict[str, Sort] = {}
    for key, direction in zip(keys, directions, strict=True):
        name = resource.field_by_name[key].name
        sorts.setdefault(name, Sort(name, _DESCENDING[direction]))
    return tuple(sorts.values())
