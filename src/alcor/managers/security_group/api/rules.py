"""The rules of security groups, and the templates of them, as clients see them."""

from alcor.managers.security_group.api.types import (
    ETHERTYPE,
    IP_PREFIX,
    PORT_NUMBER,
    PROTOCOL,
    REMOTE_ID,
)
from alcor.resource import standard
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, nullable, one_of, string

_TRAFFIC = (
    Field(name="direction", type=one_of("ingress", "egress"), required=True, put=False),
    Field(name="ethertype", type=ETHERTYPE, default="IPv4", put=False),
    Field(name="protocol", type=PROTOCOL, default=None, put=False),
    Field(name="port_range_min", type=PORT_NUMBER, default=None, put=False),
    Field(name="port_range_max", type=PORT_NUMBER, default=None, put=False),
    Field(name="remote_ip_prefix", type=IP_PREFIX, default=None, put=False),
    Field(name="remote_group_id", type=REMOTE_ID, default=None, put=False),
    Field(name="remote_address_group_id", type=REMOTE_ID, default=None, put=False),
)

SECURITY_GROUP_RULE = Resource(
    name="security_group_rule",
    collection="security_group_rules",
    title="SecurityGroupRule",
    path="/v2.0/security-group-rules",
    extension="security-group",
    fields=(
        standard.ID,
        Field(name="security_group_id", type=string(36), required=True, put=False),
        standard.PROJECT,
        *_TRAFFIC,
        standard.DESCRIPTION,
        read_only("normalized_cidr", nullable(string(64))),
        read_only("belongs_to_default_sg", BOOLEAN),
        *standard.HISTORY,
    ),
)

DEFAULT_SECURITY_GROUP_RULE = Resource(
    name="default_security_group_rule",
    collection="default_security_group_rules",
    title="DefaultSecurityGroupRule",
    path="/v2.0/default-security-group-rules",
    extension="security-groups-default-rules",
    updatable=False,
    fields=(
        standard.ID,
        *_TRAFFIC,
        Field(name="description", type=string(1_024), default="", put=False),
        Field(name="used_in_default_sg", type=BOOLEAN, default=False, put=False),
        Field(name="used_in_non_default_sg", type=BOOLEAN, default=True, put=False),
    ),
)
