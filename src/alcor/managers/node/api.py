"""Nodes (ours) and agents (Neutron API reference v2, "Agents") as clients see them."""

from alcor.resource import standard
from alcor.resource.answers import (
    list_answered,
    map_answered,
    number_answered,
    record_answered,
)
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, HOST, IP, NAME, UUID, integer, nullable, only, string
from alcor.values.ids import is_host_id
from alcor.values.zones import ZONE

_COUNT = integer(0, (1 << 63) - 1)
_TIME = string(32)
_RATE = nullable(_COUNT)
_BANDWIDTH = {
    "device": string(255),
    "physical_network": string(255),
    "tunnels": BOOLEAN,
    "egress": _RATE,
    "ingress": _RATE,
}
_INVENTORY = record_answered(
    {"allocation_ratio": number_answered()}
    | dict.fromkeys(("min_unit", "max_unit", "step_size", "reserved"), _COUNT)
)
_DIRECTED = map_answered(record_answered({"egress": _RATE, "ingress": _RATE}))
_CONFIGURATIONS = {
    "tunnel_types": list_answered(string(16)),
    "tunneling_ip": IP,
    "bridge_mappings": map_answered(string(64)),  # by physical network
    "integration_bridge": string(64),
    "datapath_type": string(64),
    "log_agent_heartbeats": BOOLEAN,
    "resource_provider_bandwidths": _DIRECTED,  # by device
    "resource_provider_hypervisors": map_answered(string(255)),  # by device
    "resource_provider_inventory_defaults": _INVENTORY,
    "resource_provider_packet_processing_with_direction": _DIRECTED,  # by hypervisor
    "resource_provider_packet_processing_without_direction": map_answered(
        record_answered({"any": _RATE})
    ),
    "resource_provider_packet_processing_inventory_defaults": _INVENTORY,
}


def _parse_zone(value: object) -> object:
    if name := NAME.parse(value):
        return name
    raise ValueError("a zone has a name")


_ZONE = NAME._replace(parse=_parse_zone, schema=dict(NAME.schema) | {"minLength": 1})


NODE = Resource(
    name="node",
    collection="nodes",
    title="Node",
    path="/alcor/v1/nodes",
    is_id=is_host_id,
    fields=(
        Field(name="id", alias="name", type=HOST, required=True, put=False),
        Field(name="tunnel_ip", type=IP, required=True),
        Field(name="availability_zone", type=_ZONE, default=ZONE, filterable=False, sortable=False),
        standard.DESCRIPTION,
        read_only("physical_networks", list_answered(string(64)), filterable=False, sortable=False),
        read_only(
            "bandwidths",
            list_answered(record_answered(_BANDWIDTH)),
            filterable=False,
            sortable=False,
        ),
        read_only("bridge", string(64), filterable=False, sortable=False),
        read_only("datapath_type", string(64), filterable=False, sortable=False),
        read_only("alive", BOOLEAN, filterable=False, sortable=False),
        read_only("heartbeat_timestamp", nullable(_TIME), filterable=False, sortable=False),
        read_only("applied", _COUNT, filterable=False, sortable=False),
        read_only("flows", _COUNT, filterable=False, sortable=False),
        read_only("fault", string(255), filterable=False, sortable=False),
        read_only("version", _TIME, filterable=False, sortable=False),
        *standard.HISTORY,
    ),
)

AGENT = Resource(
    name="agent",
    collection="agents",
    title="Agent",
    path="/v2.0/agents",
    creatable=False,
    fields=(
        read_only("id", UUID),
        read_only("agent_type", string(255)),
        read_only("binary", string(255)),
        read_only("topic", string(255)),
        read_only("host", HOST),
        Field(
            name="admin_state_up",
            type=only(True, "hosts can't be set apart"),
            post=False,
        ),
        read_only("alive", BOOLEAN),
        Field(name="description", type=string(255), post=False),
        read_only("availability_zone", string(255)),
        read_only("created_at", _TIME),
        read_only("started_at", _TIME),
        read_only("heartbeat_timestamp", nullable(_TIME)),
        read_only("configurations", record_answered(_CONFIGURATIONS)),
        read_only("resources_synced", nullable(BOOLEAN)),
    ),
)

AVAILABILITY_ZONE = Resource(
    name="availability_zone",
    collection="availability_zones",
    title="AvailabilityZone",
    path="/v2.0/availability_zones",
    extension="availability_zone",
    creatable=False,
    updatable=False,
    deletable=False,
    fields=(
        read_only("name", string(255)),
        read_only("resource", string(16)),
        read_only("state", string(16)),
    ),
)
