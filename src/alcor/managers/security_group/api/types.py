"""The types of rules' fields, with Neutron's own refusals (neutron.extensions.securitygroup)."""

import ipaddress

from alcor.managers.security_group.model.refusals import (
    InvalidCIDR,
    SecurityGroupInvalidPortValue,
    SecurityGroupRuleInvalidEtherType,
    SecurityGroupRuleInvalidProtocol,
)
from alcor.resource.fields import (
    CIDR,
    IP,
    FieldType,
    integer,
    integer_of,
    nullable,
    shown,
    string,
)
from alcor.values.errors import InvalidInput
from alcor.values.protocols import protocol_number

_ETHERTYPE_BY_LOWER = {"ipv4": "IPv4", "ipv6": "IPv6"}


def _parse_protocol(value: object) -> object:
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, int | str) else ""
    if text == "any":
        return None
    try:
        protocol_number(text)
    except ValueError:
        raise SecurityGroupRuleInvalidProtocol(shown(value)) from None
    return text


def _parse_ethertype(value: object) -> object:
    text = value.lower() if isinstance(value, str) else ""
    if text not in _ETHERTYPE_BY_LOWER:
        raise SecurityGroupRuleInvalidEtherType(shown(value))
    return _ETHERTYPE_BY_LOWER[text]


def _parse_port(value: object) -> object:
    if value is None:
        return None
    try:
        number = integer_of(value)
    except InvalidInput:
        number = -1
    if not 0 <= number <= 65_535:
        raise SecurityGroupInvalidPortValue(shown(value)[1:-1])
    return number


def _parse_prefix(value: object) -> object:
    """An address with or without a length; host bits stay, as they do in Neutron."""
    if value is None or value == "":
        return None
    try:
        if not isinstance(value, str) or "%" in value:
            raise ValueError(value)
        return str(ipaddress.ip_interface(value))
    except ValueError:
        raise InvalidCIDR(shown(value)[1:-1]) from None


def _prefix_of_query(text: str) -> str | None:
    """As rules show it; what is no prefix matches nothing."""
    if not text:
        return None
    try:
        return str(ipaddress.ip_interface(text))
    except ValueError:
        return text


def _parse_remote_id(value: object) -> object:
    """One that is no UUID names nothing, and is not found: Neutron answers so."""
    return string(36).parse(value) if value else None


def _text_or_null(text: str) -> str | None:
    return text or None


_PORT = nullable(integer(0, 65_535))
_TEXT_OR_NULL = {"type": ["string", "null"]}
PROTOCOL = FieldType(
    "IP protocol by name or number, or null",
    _parse_protocol,
    _text_or_null,
    {"anyOf": [{"type": ["string", "null"]}, {"type": "integer", "minimum": 0, "maximum": 255}]},
    _TEXT_OR_NULL,
)
ETHERTYPE = FieldType(
    "IPv4 or IPv6", _parse_ethertype, str, {"enum": list(_ETHERTYPE_BY_LOWER.values())}
)
PORT_NUMBER = FieldType(
    "port, ICMP type or code, or null", _parse_port, _PORT.of_query, _PORT.schema
)
_PREFIX = {"anyOf": [*IP.schema["anyOf"], dict(CIDR.schema), {"type": "null"}]}
IP_PREFIX = FieldType("ip address or prefix, or null", _parse_prefix, _prefix_of_query, _PREFIX)
REMOTE_ID = FieldType("id or null", _parse_remote_id, _text_or_null, nullable(string(36)).schema)
