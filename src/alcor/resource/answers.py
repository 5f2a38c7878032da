"""The types of fields that only answers carry: what a client finds in them. Pure.

No body carries such a field, and none is a filter or a sort key.
"""

from collections.abc import Mapping

from alcor.resource.fields import FieldType


def list_answered(type_: FieldType) -> FieldType:
    """A list of such values."""
    schema = {"type": "array", "items": dict(type_.answered)}
    return FieldType(f"list of {type_.name}", _unread, None, schema)


def record_answered(types: Mapping[str, FieldType]) -> FieldType:
    """An object with these keys; of some objects some may be missing."""
    properties = {name: dict(type_.answered) for name, type_ in types.items()}
    schema = {"type": "object", "properties": properties}
    return FieldType("record of " + ", ".join(types), _unread, None, schema)


def map_answered(type_: FieldType) -> FieldType:
    """An object whose keys are data too, as ids are."""
    schema = {"type": "object", "additionalProperties": dict(type_.answered)}
    return FieldType(f"{type_.name} by key", _unread, None, schema)


def number_answered() -> FieldType:
    """A number that need not be whole."""
    return FieldType("number", _unread, None, {"type": "number"})


def either_answered(one: FieldType, other: FieldType) -> FieldType:
    """A value of one type or of the other."""
    schema = {"anyOf": [dict(one.answered), dict(other.answered)]}
    return FieldType(f"{one.name}, or {other.name}", _unread, None, schema)


def _unread(value: object) -> object:
    return value
