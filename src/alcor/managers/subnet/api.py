"""The subnet as clients see it. Source: Neutron API reference v2, "Subnets"."""

from alcor.resource import standard
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    CIDR,
    EXACT_CIDR,
    IP,
    UUID,
    FieldType,
    integer,
    integer_of,
    list_of,
    null_is,
    nullable,
    one_of,
    record_of,
    shown,
    string,
)
from alcor.resource.tags import TAG_LIST
from alcor.values.errors import BadRequest

allocation_pools_max = 64
dns_nameservers_max = 5  # Neutron's max_dns_nameservers
service_types_max = 32
host_routes_max = 20  # Neutron's max_subnet_host_routes
_TOO_MANY = "Unable to complete operation for the subnet. The number of {} exceeds the limit {}."


class DNSNameServersExhausted(BadRequest):
    """More name servers than a subnet may have."""

    def __init__(self) -> None:
        super().__init__(_TOO_MANY.format("DNS nameservers", dns_nameservers_max))


class HostRoutesExhausted(BadRequest):
    """More host routes than a subnet may have."""

    def __init__(self) -> None:
        super().__init__(_TOO_MANY.format("host routes", host_routes_max))


_POOLS = list_of(record_of({"start": IP, "end": IP}, {}), allocation_pools_max)
_SERVERS = list_of(IP, dns_nameservers_max, too_many=DNSNameServersExhausted)
_ROUTE = record_of({"destination": EXACT_CIDR, "nexthop": IP}, {})
_ROUTES = list_of(_ROUTE, host_routes_max, too_many=HostRoutesExhausted)
_OWNERS = list_of(string(255), service_types_max)
_MODES = one_of("dhcpv6-stateful", "dhcpv6-stateless", "slaac", None)


def _version(value: object) -> int:
    number = integer_of(value)
    if number not in (4, 6):
        raise ValueError(f"{shown(value)} is not in [4, 6]")
    return number


SUBNET = Resource(
    name="subnet",
    collection="subnets",
    title="Subnet",
    path="/v2.0/subnets",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="network_id", type=UUID, required=True, put=False),
        Field(
            name="ip_version",
            type=FieldType("4 or 6", _version, integer(0, 255).of_query, {"enum": [4, 6]}),
            required=True,
            put=False,
        ),
        Field(name="cidr", type=nullable(CIDR), put=False),
        Field(name="gateway_ip", type=nullable(IP)),
        Field(
            name="allocation_pools",
            type=null_is([], _POOLS),
        ),
        Field(name="enable_dhcp", type=BOOLEAN, default=True),
        Field(name="dns_nameservers", type=null_is([], _SERVERS), default=[]),
        Field(
            name="host_routes",
            type=null_is([], _ROUTES),
            default=[],
        ),
        Field(name="ipv6_ra_mode", type=_MODES, default=None, put=False),
        Field(name="ipv6_address_mode", type=_MODES, default=None, put=False),
        standard.DESCRIPTION,
        Field(name="subnetpool_id", type=nullable(UUID), put=False),
        Field(
            name="use_default_subnetpool",
            type=BOOLEAN,
            default=False,
            put=False,
            filterable=False,
            sortable=False,
        ),
        Field(
            name="prefixlen",
            type=nullable(integer(0, 128)),
            put=False,
            filterable=False,
            sortable=False,
        ),
        Field(
            name="service_types",
            type=null_is([], _OWNERS),
            default=[],
        ),
        Field(name="dns_publish_fixed_ip", type=BOOLEAN, default=False),
        Field(name="segment_id", type=nullable(UUID)),
        read_only("alcor:physical_network", string(64), filterable=False, sortable=False),
        read_only("shared", BOOLEAN, sortable=False),
        read_only("router:external", BOOLEAN),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
)
