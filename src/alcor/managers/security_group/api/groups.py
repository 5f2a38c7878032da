"""The security group as clients see it."""

from alcor.managers.security_group.api.rules import SECURITY_GROUP_RULE
from alcor.resource import standard
from alcor.resource.answers import list_answered, record_answered
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import BOOLEAN
from alcor.resource.tags import TAG_LIST

_RULE = {field.name: field.type for field in SECURITY_GROUP_RULE.fields}

SECURITY_GROUP = Resource(
    name="security_group",
    collection="security_groups",
    title="SecurityGroup",
    path="/v2.0/security-groups",
    extension="security-group",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        standard.DESCRIPTION,
        Field(name="stateful", type=BOOLEAN, default=True),
        read_only("security_group_rules", list_answered(record_answered(_RULE))),
        read_only("shared", BOOLEAN),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
)
