"""The bytes of goal-state entries (proto/alcor/v1/goal_state.proto).

The key says what a value is, and its ids are not repeated in the value. Encoding the same entry
twice gives the same bytes, so equal bytes mean that nothing changed. `decode` survives any bytes:
it gives an entry that keeps its type's promises, or `Malformed`.
"""

from typing import Any

from google.protobuf.message import DecodeError

from alcor.goal_state import (
    acl_codec,
    group_codec,
    metering_codec,
    monitoring_codec,
    network_codec,
    qos_codec,
    router_codec,
)
from alcor.goal_state.entries import GoalEntry
from alcor.goal_state.kind import Kind

KINDS: tuple[Kind[Any], ...] = (
    *network_codec.KINDS,
    *group_codec.KINDS,
    *acl_codec.KINDS,
    *router_codec.KINDS,
    *metering_codec.KINDS,
    *monitoring_codec.KINDS,
    *qos_codec.KINDS,
)

_Shape = tuple[str | int, ...]


class Malformed(Exception):
    """A key or a value that no control plane writes; the entry must be ignored."""


def encode(key: str, entry: GoalEntry) -> bytes:
    """The bytes of `entry`, which belongs under `key`."""
    kind, part = _BY_TYPE[type(entry)]
    assert part in key, f"{key} holds no {type(entry).__name__}"
    return kind.message(entry).SerializeToString(deterministic=True)


def decode(key: str, value: bytes) -> GoalEntry:
    """The entry under `key`; `Malformed` when key or value is none of ours."""
    parts = key.split("/")
    kind = _KIND_BY_SHAPE.get(_shape(parts))
    if kind is None or not all(parts):
        raise Malformed(f"'{key}' is not a key of goal state")
    try:
        entry: GoalEntry = kind.read(parts, value)
    except (DecodeError, ValueError) as error:
        raise Malformed(f"{key}: {error}") from None
    return entry


def _shape(parts: list[str]) -> _Shape:
    """What tells a kind's keys from others: the slice's kind, the third part, and the length."""
    return (parts[0], *parts[2:3], len(parts))


_KIND_BY_SHAPE = {_shape(kind.keys.split("/")): kind for kind in KINDS}
_BY_TYPE = {kind.type: (kind, "/" + kind.keys.split("/")[2]) for kind in KINDS}
