"""Dicts of dicts and of sets that hold nothing empty."""

from typing import TypeVar

T = TypeVar("T")


def remember(by_id: dict[str, T], id_: str, value: T | None) -> str:
    """Hold a value under an id, or (None) no more; the id."""
    if value is None:
        by_id.pop(id_, None)
    else:
        by_id[id_] = value
    return id_


def discard(sets: dict[str, set[str]], key: str, value: str) -> None:
    """Take a value from the set of a key; a set that is empty goes."""
    held = sets[key]
    held.discard(value)
    if not held:
        del sets[key]


def put_nested(nested: dict[str, dict[str, T]], outer: str, inner: str, value: T | None) -> None:
    """Hold a value under two keys, or (None) no more."""
    if value is not None:
        nested.setdefault(outer, {})[inner] = value
        return
    held = nested.get(outer, {})
    held.pop(inner, None)
    if not held:
        nested.pop(outer, None)
