"""Subnet pools and address scopes as clients see them.

Source: Neutron API reference v2, "Subnet pools", "Address scopes".
"""

from alcor.resource import standard
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    CIDR,
    NAME,
    UUID,
    FieldType,
    integer,
    integer_of,
    list_of,
    nullable,
    shown,
)
from alcor.resource.tags import TAG_LIST

ONBOARD = "onboard_network_subnets"
prefixes_max = 256  # of one pool, in a body
_PREFIXES = list_of(CIDR, prefixes_max)
_LISTED = (Field(name="prefixes", type=_PREFIXES, required=True),)
_NETWORK = (Field(name="network_id", type=UUID, required=True),)
_LENGTH = integer(0, 128)._replace(of_query=str)  # shown as text, and so compared


def _parse_name(value: object) -> object:
    text = str(NAME.parse(value))
    if not text.strip():
        raise ValueError(f"{shown(text)} Blank strings are not permitted")
    return text


def _parse_version(value: object) -> int:
    number = integer_of(value)
    if number not in (4, 6):
        raise ValueError(f"{shown(value)} is not in [4, 6]")
    return number


_NAME = FieldType("string(1..255)", _parse_name, str, {**NAME.schema, "minLength": 1})
_VERSION = FieldType("4 or 6", _parse_version, integer(0, 255).of_query, {"enum": [4, 6]})

SUBNETPOOL = Resource(
    name="subnetpool",
    collection="subnetpools",
    title="SubnetPool",
    path="/v2.0/subnetpools",
    extension="subnet_allocation",
    fields=(
        standard.ID,
        Field(
            name="name",
            type=_NAME,
            required=True,
        ),
        standard.PROJECT,
        Field(name="prefixes", type=_PREFIXES, required=True),
        Field(name="default_quota", type=nullable(integer(0, (1 << 31) - 1))),
        read_only("ip_version", _VERSION),
        Field(name="default_prefixlen", type=_LENGTH),
        Field(name="min_prefixlen", type=_LENGTH),
        Field(name="max_prefixlen", type=_LENGTH),
        Field(name="is_default", type=BOOLEAN, default=False),
        Field(name="shared", type=BOOLEAN, default=False, put=False),
        Field(name="address_scope_id", type=nullable(UUID), default=None),
        standard.DESCRIPTION,
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
    actions=(
        *(Action(name=name, arguments=_LISTED) for name in ("add_prefixes", "remove_prefixes")),
        Action(name=ONBOARD, arguments=_NETWORK, answers_list=True),
    ),
)

ADDRESS_SCOPE = Resource(
    name="address_scope",
    collection="address_scopes",
    title="AddressScope",
    path="/v2.0/address-scopes",
    extension="address-scope",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="ip_version", type=_VERSION, required=True, put=False),
        Field(name="shared", type=BOOLEAN, default=False),
    ),
)
