"""A page of a list that is computed, not stored: filter, sort and cut items in memory. Pure.

Same meaning as a page of a table (`runtime.tables.resource_table`): null sorts as the empty
text, texts after numbers, the id last.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alcor.contracts.resources import ListQuery, Sort
from alcor.values.errors import NotFound

Item = Mapping[str, Any]


def select(items: Sequence[Item], query: ListQuery, missing: type[NotFound]) -> list[Item]:
    """The items of the page; `missing` when its marker names none."""
    kept = [item for item in items if _fits(item, query)]
    marker = [item for item in items if item["id"] == query.marker] if query.marker else []
    if query.marker and not marker:
        raise missing(query.marker)
    kept = _sorted(kept + [m for m in marker if m not in kept], query.sorts)
    if query.reverse:
        kept.reverse()
    if marker:
        kept = [item for item in kept[kept.index(marker[0]) + 1 :] if _fits(item, query)]
    kept = kept[: query.limit] if query.limit else kept
    return kept[::-1] if query.reverse else kept


def _fits(item: Item, query: ListQuery) -> bool:
    return all(item[wanted.field] in wanted.values for wanted in query.filters)


def _sorted(items: list[Item], sorts: Sequence[Sort]) -> list[Item]:
    found = sorted(items, key=lambda item: str(item["id"]))
    for sort in reversed(sorts):
        found.sort(key=lambda item: _order(item[sort.field]), reverse=sort.descending)
    return found


def _order(value: Any) -> tuple[bool, Any]:
    number = isinstance(value, int | float)
    return (not number, value if number else "" if value is None else str(value))
