"""The types of fields: how a value in a body and a text in a query become what managers take.

A parser raises `ValueError` with the reason, which the reader of bodies puts into Neutron's words,
or a `Refusal` of its own where Neutron has one. Values that are echoed are cut short.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from unicodedata import category

from alcor.values import addresses
from alcor.values.errors import InvalidInput
from alcor.values.ids import host_id, uuid_text

Scalar = str | int | bool | None

echo_chars_max = 128
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+")
_TRUE = {"true", "t", "yes", "y", "on", "1"}
_FALSE = {"false", "f", "no", "n", "off", "0"}


class FieldType(NamedTuple):
    """How to read a value; a type without `of_query` is neither filter nor sort key."""

    name: str  # for people and for the generated reference
    parse: Callable[[object], object]
    of_query: Callable[[str], Scalar] | None = None
    schema: Mapping[str, Any] = {}  # JSON Schema of what a body may carry; empty: anything
    shown: Mapping[str, Any] | None = None  # of what answers carry, where that is not the same

    @property
    def answered(self) -> Mapping[str, Any]:
        """JSON Schema of what answers carry."""
        return self.schema if self.shown is None else self.shown


def shown(value: object) -> str:
    """A value as a message may repeat it."""
    text = f"'{value}'"
    return text if len(text) <= echo_chars_max else f"{text[:echo_chars_max]}...'"


def string(length_max: int) -> FieldType:
    """A text of at most `length_max` characters."""

    def parse(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is not a valid string")
        if len(value) > length_max:
            raise ValueError(f"{shown(value)} exceeds maximum length of {length_max}")
        if "\0" in value:
            raise ValueError("a string may not contain the character NUL")
        return value

    schema = {"type": "string", "maxLength": length_max}
    return FieldType(f"string({length_max})", parse, str, schema)


def _parse_name(value: object) -> str:
    """As Neutron's `name_string`: no control characters, no spaces at the ends."""
    text = str(_NAME_TEXT.parse(value))
    if text == text.strip() and (text.isprintable() or "Cc" not in map(category, text)):
        return text
    raise ValueError(f"{shown(text)} is not a valid string")


def boolean_of(value: object) -> bool:
    """True or False, or what Neutron also takes for them; `InvalidInput` for anything else."""
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, str | int) else ""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise InvalidInput(
        f"Invalid input for operation: {shown(value)} cannot be converted to boolean."
    )


def integer_of(value: object) -> int:
    """A whole number, also written as a text of digits or with a fraction of nothing, as clients
    write it that know numbers of one kind only; `InvalidInput` for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) <= 20:
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit():
            return int(value)
    raise InvalidInput(f"Invalid input for operation: {shown(value)} is not an integer.")


def integer(low: int, high: int) -> FieldType:
    """A whole number from `low` to `high`, both included."""

    def parse(value: object) -> int:
        number = integer_of(value)
        if number < low:
            raise ValueError(f"{shown(number)} is too small - must be at least '{low}'")
        if number > high:
            raise ValueError(f"{shown(number)} is too large - must be no larger than '{high}'")
        return number

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return FieldType(f"integer({low}..{high})", parse, _integer_of_query, schema)


def _integer_of_query(text: str) -> int:
    number = integer_of(text)
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"{shown(text)} is out of range")
    return number


def one_of(*values: Scalar) -> FieldType:
    """One of these values."""

    def parse(value: object) -> Scalar:
        for allowed in values:
            if value == allowed and type(value) is type(allowed):
                return allowed
        raise ValueError(f"{shown(value)} is not in {list(values)}")

    def of_query(text: str) -> Scalar:
        if None in values and text == "":
            return None
        return int(text) if text.isdigit() and int in map(type, values) else text

    schema = {"enum": list(values)}
    return FieldType("one of " + ", ".join(map(repr, values)), parse, of_query, schema)


def only(value: object, why: str) -> FieldType:
    """A field that so far takes nothing but its inert value: we never say yes and do nothing."""

    def parse(given: object) -> object:
        if given != value or type(given) is not type(value):
            raise ValueError(f"{shown(given)} is not possible yet: {why}")
        return value

    scalar = value is None or isinstance(value, str | int)
    of_query = _boolean_of_query if isinstance(value, bool) else str if scalar else None
    return FieldType(f"only {value!r}", parse, of_query, {"const": value})


def _boolean_of_query(text: str) -> bool:
    return boolean_of(text)


def _parse_uuid(value: object) -> str:
    try:
        return uuid_text(value)
    except ValueError:
        raise ValueError(f"{shown(value)} is not a valid UUID") from None


def _parse_mac(value: object) -> str:
    try:
        return addresses.mac_text(addresses.mac(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is not a valid MAC address") from None


def _parse_ip(value: object) -> str:
    try:
        return str(addresses.address(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is not a valid IP address") from None


def _parse_cidr(value: object) -> str:
    try:
        return str(addresses.prefix(value))
    except ValueError:
        message = f"Invalid input for operation: {shown(value)} is not a valid IP subnet."
        raise InvalidInput(message) from None


def _parse_exact_cidr(value: object) -> str:
    try:
        found = addresses.prefix(value)
        exact = addresses.address(str(value).partition("/")[0]).number == found.number
    except ValueError:
        exact = False
    if not exact:
        raise ValueError(f"{shown(value)} is not a valid CIDR")
    return str(found)


def _parse_domain(value: object) -> str:
    if value == "":
        return ""
    if not isinstance(value, str):
        message = f"Input value {shown(value)[1:-1]} must be string type."
        raise InvalidInput(f"Invalid input for operation: {message}")
    if not value.endswith("."):
        raise ValueError(f"{shown(value)} is not a FQDN: it must end with a dot")
    if len(value) > 255 or _DOMAIN.fullmatch(value) is None:
        raise ValueError(f"{shown(value)} not a valid PQDN or FQDN")
    if (top := value[:-1].rpartition(".")[2]).isdigit():
        raise ValueError(f"{shown(value)} not a valid PQDN or FQDN. TLD '{top}' is all numeric")
    return value.lower()


def _parse_host(value: object) -> str:
    try:
        return host_id(value)
    except ValueError:
        raise ValueError(f"{shown(value)} is not a valid host name") from None


def _canonical(parse: Callable[[object], str]) -> Callable[[str], str]:
    """In a filter, what is no such value matches nothing instead of being refused."""

    def of_query(text: str) -> str:
        try:
            return parse(text)
        except (ValueError, InvalidInput):
            return text

    return of_query


_TEXT = {"type": "string"}
BOOLEAN = FieldType("boolean", boolean_of, _boolean_of_query, {"type": "boolean"})
UUID = FieldType("uuid", _parse_uuid, _canonical(_parse_uuid), {"type": "string", "format": "uuid"})
MAC = FieldType(
    "mac address",
    _parse_mac,
    _canonical(_parse_mac),
    {"type": "string", "format": "mac", "pattern": "^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$"},
)
IP = FieldType(
    "ip address",
    _parse_ip,
    _canonical(_parse_ip),
    {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]},
)
_CIDR4 = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"
_CIDR6 = "^[0-9a-fA-F:]*:[0-9a-fA-F:.]*/[0-9]{1,3}$"
CIDR = FieldType(
    "cidr",
    _parse_cidr,
    _canonical(_parse_cidr),
    {"type": "string", "format": "cidr", "anyOf": [{"pattern": _CIDR4}, {"pattern": _CIDR6}]},
)
EXACT_CIDR = CIDR._replace(parse=_parse_exact_cidr)  # without host bits
HOST = FieldType(
    "host name",
    _parse_host,
    str,
    {"type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$"},
    _TEXT,
)
DOMAIN = FieldType(
    "domain name",
    _parse_domain,
    str.lower,
    {"type": "string", "pattern": "^([A-Za-z]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?\\.)?$"},
    _TEXT,
)  # or ""; RFC 1123 labels, and a dot after each
_NAME_TEXT = string(255)
NAME = _NAME_TEXT._replace(parse=_parse_name)


def nullable(type_: FieldType) -> FieldType:
    """The type, or null; in a query the empty text stands for null."""

    def parse(value: object) -> object:
        return None if value is None else type_.parse(value)

    inner = type_.of_query
    schema = _or_null(type_.schema)
    seen = None if type_.shown is None else _or_null(type_.shown)
    if inner is None:
        return FieldType(f"{type_.name} or null", parse, None, schema, seen)
    of_text = inner

    def of_query(text: str) -> Scalar:
        return None if text == "" else of_text(text)

    return FieldType(f"{type_.name} or null", parse, of_query, schema, seen)


def null_is(value: object, type_: FieldType) -> FieldType:
    """The type, in bodies of which null is another word for a value, such as the empty list."""

    def parse(given: object) -> object:
        return type_.parse(value if given is None else given)

    seen = type_.schema if type_.shown is None else type_.shown
    return type_._replace(parse=parse, schema=_or_null(type_.schema), shown=seen)


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "null"}]} if schema else {}


def list_of(
    type_: FieldType,
    count_max: int,
    *,
    unique: bool = True,
    too_many: Callable[[], Exception] | None = None,
) -> FieldType:
    """A list of at most `count_max` values, none twice; `too_many` is Neutron's refusal of more."""

    def parse(value: object) -> list[object]:
        if not isinstance(value, list):
            raise ValueError(f"{shown(value)} is not a list")
        if len(value) > count_max:
            longer = f"a list of {len(value)} is longer than {count_max}"
            raise too_many() if too_many else ValueError(longer)
        items = [type_.parse(item) for item in value]
        if unique and any(item in items[:i] for i, item in enumerate(items)):
            raise ValueError(f"Duplicate items in the list: {shown(value)}")
        return items

    schema = {"type": "array", "items": dict(type_.schema), "maxItems": count_max}
    seen = {"type": "array", "items": dict(type_.answered)}
    return FieldType(f"list of {type_.name}", parse, None, schema, seen)


def record_of(
    required: dict[str, FieldType], optional: dict[str, FieldType], *, ignored: Sequence[str] = ()
) -> FieldType:
    """An object with these keys and no others, but those that are `ignored`."""
    types = required | optional

    def parse(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise ValueError(f"{shown(value)} is not a dictionary")
        if unexpected := value.keys() - types.keys() - set(ignored):
            raise ValueError(f"Unexpected keys supplied: {', '.join(map(str, sorted(unexpected)))}")
        if missing := required.keys() - value.keys():
            raise ValueError(f"Expected keys not found: {', '.join(sorted(missing))}")
        return {name: types[name].parse(item) for name, item in value.items() if name in types}

    schema = {
        "type": "object",
        "properties": {name: dict(type_.schema) for name, type_ in types.items()},
        "required": sorted(required),
        "additionalProperties": False,
    }
    seen = {"type": "object", "properties": {n: dict(t.answered) for n, t in types.items()}}
    return FieldType("record of " + ", ".join(types), parse, None, schema, seen)
