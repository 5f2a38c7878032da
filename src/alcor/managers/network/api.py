"""The network as clients see it. Source: Neutron API reference v2, "Networks"."""

from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    DOMAIN,
    JSON,
    NAME,
    UUID,
    integer,
    nullable,
    one_of,
    only,
    string,
)

_FLAT = "hosts know private networks only"

NETWORK = Resource(
    name="network",
    collection="networks",
    title="Network",
    path="/v2.0/networks",
    fields=(
        Field(name="id", type=UUID, put=False),
        Field(name="name", type=NAME, default=""),
        Field(name="project_id", alias="tenant_id", type=string(255), put=False),
        Field(name="admin_state_up", type=BOOLEAN, default=True),
        Field(name="mtu", type=integer(0, 65_535), default=0),
        Field(name="port_security_enabled", type=BOOLEAN, default=True),
        Field(name="dns_domain", type=DOMAIN, default=""),
        Field(name="description", type=string(255), default=""),
        Field(name="provider:network_type", type=one_of("vxlan"), default="vxlan", put=False),
        Field(name="provider:segmentation_id", type=integer(1, (1 << 24) - 1), put=False),
        Field(name="provider:physical_network", type=only(None, _FLAT), put=False),
        Field(name="shared", type=only(False, "networks are of one project")),
        Field(name="router:external", type=only(False, _FLAT)),
        Field(name="is_default", type=only(False, _FLAT)),
        Field(name="qos_policy_id", type=only(None, "hosts don't shape traffic")),
        Field(name="availability_zone_hints", type=only([], "there are no zones"), put=False),
        read_only("status", string(16)),
        read_only("subnets", JSON),
        read_only("availability_zones", JSON),
        read_only("ipv4_address_scope", nullable(UUID)),
        read_only("ipv6_address_scope", nullable(UUID)),
        read_only("tags", JSON),
        read_only("revision_number", integer(0, (1 << 63) - 1)),
        read_only("created_at", string(32)),
        read_only("updated_at", string(32)),
    ),
)
