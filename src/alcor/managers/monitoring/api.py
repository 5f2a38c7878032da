"""Logs, what can be logged, mirrors and taps, as clients see them.

Source: Neutron API reference v2, "Logging resource", "Tap Mirror" and "Tap as a Service";
neutron_lib.api.definitions (logging, tap_mirror, taas).
"""

from alcor.managers.monitoring.model.log import EVENTS
from alcor.managers.monitoring.model.mirror import BOTH, IN, OUT, TYPES, tunnel_id_max
from alcor.managers.monitoring.model.tap import DIRECTIONS
from alcor.resource import standard
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    IP,
    UUID,
    FieldType,
    integer,
    nullable,
    one_of,
    record_of,
    string,
)

LOG = Resource(
    name="log",
    collection="logs",
    title="LogResource",
    path="/v2.0/log/logs",
    extension="logging",
    fields=(
        standard.ID,
        standard.NAME,
        standard.DESCRIPTION,
        standard.PROJECT,
        Field(name="resource_type", type=string(255), required=True, put=False),
        Field(name="resource_id", type=nullable(UUID), default=None, put=False),
        Field(name="target_id", type=nullable(UUID), default=None, put=False),
        Field(name="event", type=one_of(*EVENTS), default="ALL", put=False, sortable=False),
        Field(name="enabled", type=BOOLEAN, default=True),
        *standard.HISTORY,
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


def _as_written(number: FieldType) -> FieldType:
    """A number that is answered as it was asked for, as by Neutron: Gophercloud reads only text."""

    def parse(value: object) -> object:
        parsed = number.parse(value)
        return value if isinstance(value, str) else parsed

    shown = {"anyOf": [number.schema, {"type": "string"}]}
    return FieldType(number.name, parse, schema=number.schema, shown=shown)


_TUNNEL_ID = _as_written(integer(0, tunnel_id_max))

TAP_MIRROR = Resource(
    name="tap_mirror",
    collection="tap_mirrors",
    title="TapMirror",
    path="/v2.0/taas/tap_mirrors",
    extension="tap-mirror",
    fields=(
        standard.ID,
        standard.NAME,
        standard.DESCRIPTION,
        standard.PROJECT,
        Field(name="port_id", type=UUID, required=True, put=False),
        Field(
            name="directions",
            type=record_of({}, dict.fromkeys((IN, OUT, BOTH), _TUNNEL_ID)),
            required=True,
            put=False,
        ),
        Field(name="remote_ip", type=IP, required=True, put=False),
        Field(name="mirror_type", type=one_of(*TYPES), required=True, put=False),
    ),
)

# Computed when they are shown.
_STATUS = read_only("status", string(16), filterable=False, sortable=False)

TAP_SERVICE = Resource(
    name="tap_service",
    collection="tap_services",
    title="TapService",
    path="/v2.0/taas/tap_services",
    extension="taas",
    fields=(
        standard.ID,
        standard.NAME,
        standard.DESCRIPTION,
        standard.PROJECT,
        Field(name="port_id", type=UUID, required=True, put=False),
        _STATUS,
    ),
)

TAP_FLOW = Resource(
    name="tap_flow",
    collection="tap_flows",
    title="TapFlow",
    path="/v2.0/taas/tap_flows",
    extension="taas",
    fields=(
        standard.ID,
        standard.NAME,
        standard.DESCRIPTION,
        standard.PROJECT,
        Field(name="tap_service_id", type=UUID, required=True, put=False),
        Field(name="source_port", type=UUID, required=True, put=False),
        Field(name="direction", type=one_of(*DIRECTIONS), required=True, put=False),
        _STATUS,
    ),
)
