"""Fields that most resources have, declared once."""

from alcor.resource import fields
from alcor.resource.declaration import Field, read_only
from alcor.resource.fields import UUID, integer, string

ID = Field(name="id", type=UUID, put=False)
NAME = Field(name="name", type=fields.NAME, default="")
DESCRIPTION = Field(name="description", type=string(255), default="")
PROJECT = Field(name="project_id", alias="tenant_id", type=string(255), put=False)
HISTORY = (  # which version of the resource this is, and since when
    read_only("revision_number", integer(0, (1 << 63) - 1)),
    read_only("created_at", string(32)),
    read_only("updated_at", string(32)),
)
