"""The network as clients see it. Source: Neutron API reference v2, "Networks"."""

from alcor.managers.network.model.network_segment import segments_max
from alcor.resource import standard
from alcor.resource.answers import list_answered, map_answered, record_answered
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    CIDR,
    DOMAIN,
    NAME,
    UUID,
    FieldType,
    integer,
    list_of,
    nullable,
    one_of,
    record_of,
    string,
)
from alcor.resource.tags import TAG_LIST

zones_listed_max = 16

_TYPES = one_of("vxlan", "geneve", "flat", "vlan")

# How a network travels; null is the same as no word.
_PROVIDER = {
    "provider:network_type": nullable(_TYPES._replace(of_query=str)),
    "provider:physical_network": nullable(string(64)),
    "provider:segmentation_id": nullable(integer(1, (1 << 24) - 1)),
}

NETWORK = Resource(
    name="network",
    collection="networks",
    title="Network",
    path="/v2.0/networks",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="admin_state_up", type=BOOLEAN, default=True),
        Field(name="mtu", type=integer(0, 65_535), default=0),
        Field(name="port_security_enabled", type=BOOLEAN, default=True),
        Field(name="dns_domain", type=DOMAIN, default=""),
        standard.DESCRIPTION,
        *(Field(name=name, type=type_, put=False, kept=True) for name, type_ in _PROVIDER.items()),
        Field(
            name="segments",
            type=list_of(record_of({}, _PROVIDER), segments_max, unique=False),
            put=False,
            kept=True,
        ),
        read_only("alcor:vni", integer(1, (1 << 24) - 1)),
        Field(name="shared", type=BOOLEAN, default=False),
        Field(name="router:external", type=BOOLEAN, default=False),
        Field(name="is_default", type=BOOLEAN, default=False),
        Field(name="qos_policy_id", type=nullable(UUID), default=None),
        Field(
            name="availability_zone_hints",
            type=list_of(string(255), zones_listed_max),
            default=[],
            put=False,
        ),
        read_only("status", string(16)),
        read_only("subnets", list_answered(UUID)),
        read_only("availability_zones", list_of(string(255), zones_listed_max)),
        read_only("l2_adjacency", BOOLEAN),
        read_only("ipv4_address_scope", nullable(UUID)),
        read_only("ipv6_address_scope", nullable(UUID)),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
)

_SUM = FieldType("number", lambda value: value, None, {"type": "integer", "minimum": 0})

_DETAILS = {
    "total_ips_in_subnet": _SUM,
    "total_ips_in_allocation_pool": _SUM,
    "used_ips_in_subnet": _SUM,
    "used_ips_in_allocation_pool": _SUM,
}

_OF_SUBNET = {
    "subnet_id": UUID,
    "subnet_name": NAME,
    "cidr": CIDR,
    "ip_version": integer(4, 6),
    "total_ips": _SUM,
    "used_ips": _SUM,
    "ip_availability_details": record_answered(_DETAILS),
}

NETWORK_IP_AVAILABILITY = Resource(
    name="network_ip_availability",
    collection="network_ip_availabilities",
    title="Network",
    path="/v2.0/network-ip-availabilities",
    extension="network-ip-availability",
    creatable=False,
    updatable=False,
    deletable=False,
    fields=(
        read_only("network_id", UUID),
        read_only("network_name", NAME),
        read_only("project_id", string(255), alias="tenant_id"),
        read_only("total_ips", _SUM),
        read_only("used_ips", _SUM),
        read_only("subnet_ip_availability", list_answered(record_answered(_OF_SUBNET))),
        read_only(
            "ip_availability_details", record_answered(_DETAILS), filterable=False, sortable=False
        ),
        read_only("ip_version", integer(4, 6), sortable=False),
    ),
)

NETWORK_SEGMENT_RANGE = Resource(
    name="network_segment_range",
    collection="network_segment_ranges",
    title="NetworkSegmentRange",
    path="/v2.0/network-segment-ranges",
    extension="network-segment-range",
    fields=(
        standard.ID,
        standard.NAME,
        standard.DESCRIPTION,
        read_only("default", BOOLEAN),
        Field(name="shared", type=BOOLEAN, default=True, put=False),
        Field(name="project_id", alias="tenant_id", type=nullable(string(255)), put=False),
        Field(name="network_type", type=string(32), required=True, put=False),
        Field(name="physical_network", type=nullable(string(64)), default=None, put=False),
        Field(name="minimum", type=integer(1, (1 << 32) - 1), required=True),
        Field(name="maximum", type=integer(1, (1 << 32) - 1), required=True),
        read_only("used", map_answered(string(255))),
        read_only("available", list_answered(integer(1, (1 << 32) - 1))),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
)

SEGMENT = Resource(
    name="segment",
    collection="segments",
    title="Segment",
    path="/v2.0/segments",
    extension="segment",
    fields=(
        read_only("id", UUID),
        Field(name="network_id", type=UUID, required=True, put=False),
        # Clients may say whose it is; it is its network's project's, and shows none.
        Field(
            name="project_id",
            alias="tenant_id",
            type=string(255),
            put=False,
            filterable=False,
            sortable=False,
        ),
        Field(name="network_type", type=_TYPES._replace(of_query=str), required=True, put=False),
        Field(name="physical_network", type=nullable(string(64)), put=False),
        Field(name="segmentation_id", type=nullable(integer(0, (1 << 24) - 1)), put=False),
        read_only("alcor:vni", integer(1, (1 << 24) - 1), filterable=False, sortable=False),
        Field(name="name", type=nullable(NAME)),
        Field(name="description", type=string(255), sortable=False),
        read_only("revision_number", integer(0, (1 << 63) - 1), filterable=False, sortable=False),
        read_only("created_at", string(32)),
        read_only("updated_at", string(32), filterable=False, sortable=False),
    ),
)
