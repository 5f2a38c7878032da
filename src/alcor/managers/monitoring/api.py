"""Logs, and what can be logged, as clients see them.

Source: Neutron API reference v2, "Logging resource"; neutron_lib.api.definitions.logging.
"""

from alcor.managers.monitoring.model.log import EVENTS
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, NAME, UUID, integer, nullable, one_of, string

LOG = Resource(
    name="log",
    collection="logs",
    title="LogResource",
    path="/v2.0/log/logs",
    extension="logging",
    fields=(
        Field(name="id", type=UUID, put=False),
        Field(name="name", type=NAME, default=""),
        Field(name="description", type=string(255), default=""),
        Field(name="project_id", alias="tenant_id", type=string(255), put=False),
        Field(name="resource_type", type=string(255), required=True, put=False),
        Field(name="resource_id", type=nullable(UUID), default=None, put=False),
        Field(name="target_id", type=nullable(UUID), default=None, put=False),
        Field(name="event", type=one_of(*EVENTS), default="ALL", put=False, sortable=False),
        Field(name="enabled", type=BOOLEAN, default=True),
        read_only("revision_number", integer(0, (1 << 63) - 1)),
        read_only("created_at", string(32)),
        read_only("updated_at", string(32)),
    ),
)

LOGGABLE_RESOURCE = Resource(
    name="loggable_resource",
    collection="loggable_resources",
    title="LoggableResource",
    path="/v2.0/log/loggable-resources",
    extension="logging",
    creatable=False,
    updatable=False,
    deletable=False,
    fields=(read_only("type", string(255)),),
)
