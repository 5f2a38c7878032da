"""The security group as clients see it."""

from alcor.managers.security_group.api.rules import SECURITY_GROUP_RULE
from alcor.managers.security_group.api.types import COUNT, GROUP_NAME, TIME
from alcor.resource.answers import list_answered, record_answered
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, UUID, string
from alcor.resource.tags import TAG_LIST

_RULE = {field.name: field.type for field in SECURITY_GROUP_RULE.fields}

SECURITY_GROUP = Resource(
    name="security_group",
    collection="security_groups",
    title="SecurityGroup",
    path="/v2.0/security-groups",
    extension="security-group",
    fields=(
        Field(name="id", type=UUID, put=False),
        Field(name="name", type=GROUP_NAME, default=""),
        Field(name="project_id", alias="tenant_id", type=string(255), put=False),
        Field(name="description", type=string(255), default=""),
        Field(name="stateful", type=BOOLEAN, default=True),
        read_only("security_group_rules", list_answered(record_answered(_RULE))),
        read_only("shared", BOOLEAN),
        read_only("tags", TAG_LIST),
        read_only("revision_number", COUNT),
        read_only("created_at", TIME),
        read_only("updated_at", TIME),
    ),
)
