"""Sharing policies as clients see them. Source: Neutron API reference v2, "RBAC Policies"."""

from alcor.resource import standard
from alcor.resource.declaration import Field, Resource
from alcor.resource.fields import NAME, UUID, FieldType, string


def _parse_target(value: object) -> object:
    text = NAME.parse(value)
    if not text:
        raise ValueError("'' is no project")
    return text


_TARGET = FieldType(
    "project, or * for all", _parse_target, str, {**string(255).schema, "minLength": 1}
)

RBAC_POLICY = Resource(
    name="rbac_policy",
    collection="rbac_policies",
    title="RbacPolicy",
    path="/v2.0/rbac-policies",
    extension="rbac-policies",
    fields=(
        standard.ID,
        Field(name="object_type", type=string(255), required=True, put=False, sortable=False),
        Field(name="object_id", type=UUID, required=True, put=False, sortable=False),
        Field(name="action", type=string(255), required=True, put=False, sortable=False),
        Field(name="target_tenant", type=_TARGET, required=True, sortable=False),
        Field(name="project_id", alias="tenant_id", type=string(255), put=False, sortable=False),
    ),
)
