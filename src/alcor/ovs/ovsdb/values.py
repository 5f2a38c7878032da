"""OVSDB's values (RFC 7047, 5.1) to Python's and back.

On the wire a column that may be empty or hold several is `["set", [...]]`, or just the value when
it holds one; a UUID is `["uuid", "..."]`; a map is `["map", [[key, value], ...]]`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Atom = str | int | float | bool


def as_set(value: Any) -> tuple[Any, ...]:
    """The values of a column, however many; UUIDs as text."""
    if isinstance(value, list) and len(value) == 2:
        kind, content = value
        if kind == "set":
            return tuple(_atom(each) for each in content)
        if kind in ("uuid", "named-uuid"):
            return (content,)
    return (value,)


def as_map(value: Any) -> dict[Any, Any]:
    """The pairs of a map column."""
    if isinstance(value, list) and len(value) == 2 and value[0] == "map":
        return {_atom(key): _atom(each) for key, each in value[1]}
    return {}


def set_value(values: Iterable[Atom]) -> list[Any]:
    """A set for the wire."""
    return ["set", list(values)]


def map_value(pairs: Mapping[str, Atom]) -> list[Any]:
    """A map for the wire."""
    return ["map", [[key, value] for key, value in pairs.items()]]


def _atom(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and value[0] in ("uuid", "named-uuid"):
        return value[1]
    return value
