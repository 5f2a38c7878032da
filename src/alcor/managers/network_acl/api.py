"""Network ACLs and their rules as clients see them: Alcor's own, as the original had them."""

from alcor.contracts.resources import Filter
from alcor.managers.network_acl.model.rule import default_number
from alcor.resource import standard
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    CIDR,
    UUID,
    FieldType,
    integer,
    list_of,
    nullable,
    one_of,
    shown,
    string,
)
from alcor.values.protocols import protocol_number

subnets_listed_max = 1_000  # of one ACL
EXTENSION = "alcor-network-acl"


def _parse_protocol(value: object) -> object:
    text = str(value).lower() if isinstance(value, int | str) else ""
    try:
        protocol_number(text)
    except ValueError:
        raise ValueError(f"{shown(value)} is not an IP protocol") from None
    return text


def _subnet_filter(texts: list[str]) -> list[Filter]:
    return [Filter("subnet_id", tuple(text.lower() for text in texts))]


_PROTOCOL = nullable(
    FieldType(
        "IP protocol by name or number",
        _parse_protocol,
        str,
        {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0, "maximum": 255}]},
        {"type": "string"},
    )
)
_PORT = nullable(integer(1, 65_535))
_OCTET = nullable(integer(0, 255))

NETWORK_ACL = Resource(
    name="network_acl",
    collection="network_acls",
    title="NetworkAcl",
    path="/alcor/v1/network-acls",
    extension=EXTENSION,
    special_filters={"subnet_id": _subnet_filter},
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="network_id", alias="vpc_id", type=UUID, required=True, put=False),
        Field(
            name="subnet_ids",
            alias="associated_subnets",
            type=list_of(UUID, subnets_listed_max),
            default=[],
        ),
        standard.DESCRIPTION,
        *standard.HISTORY,
    ),
)

NETWORK_ACL_RULE = Resource(
    name="network_acl_rule",
    collection="network_acl_rules",
    title="NetworkAclRule",
    path="/alcor/v1/network-acl-rules",
    extension=EXTENSION,
    fields=(
        standard.ID,
        standard.NAME,
        Field(name="network_acl_id", type=UUID, required=True, put=False),
        # The largest number, and null as an ethertype, are the default rules' alone.
        Field(name="number", type=integer(1, default_number), required=True),
        Field(name="direction", type=one_of("ingress", "egress"), required=True, put=False),
        Field(name="action", type=one_of("allow", "deny"), required=True),
        Field(
            name="ethertype",
            alias="ether_type",
            type=nullable(one_of("IPv4", "IPv6")),
            default="IPv4",
        ),
        Field(name="ip_prefix", type=nullable(CIDR), default=None),
        Field(name="protocol", type=_PROTOCOL, default=None),
        Field(name="port_range_min", type=_PORT, default=None),
        Field(name="port_range_max", type=_PORT, default=None),
        Field(name="icmp_type", type=_OCTET, default=None),
        Field(name="icmp_code", type=_OCTET, default=None),
        standard.DESCRIPTION,
        read_only("project_id", string(255), alias="tenant_id"),
        *standard.HISTORY,
    ),
)
