"""The port as a resource of the API. Source: Neutron's API reference v2, "Ports"."""

import re

import msgspec

from alcor.contracts.resources import Filter
from alcor.managers.port.model.binding import NORMAL, PROFILE, VNIC_TYPE
from alcor.managers.port.model.dhcp_options import OPTIONS
from alcor.managers.port.model.pairs import PAIRS
from alcor.resource import standard
from alcor.resource.answers import list_answered, map_answered, record_answered
from alcor.resource.declaration import Action, Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    DOMAIN,
    HOST,
    IP,
    MAC,
    NAME,
    UUID,
    FieldType,
    integer,
    list_of,
    null_is,
    nullable,
    one_of,
    record_of,
    shown,
    string,
)
from alcor.resource.host_names import DNS_NAME
from alcor.resource.query import no_filter
from alcor.resource.tags import TAG_LIST
from alcor.values.ids import is_host_id

groups_listed_max = 100  # security groups of one port
fixed_ips_listed_max = 100  # in a body; how many a port may have is the manager's setting


_SUBSTRING = "ip_address_substr"
_PART = re.compile(r"[0-9A-Fa-f.:]+")  # of the text of an address; nothing else is in one


def _parse_mac(value: object) -> object:
    text = str(MAC.parse(value))
    if text == "00:00:00:00:00:00" or int(text[:2], 16) & 1:
        raise ValueError(f"{shown(value)} is not a permitted MAC address")
    return text


def _parse_host(value: object) -> object:
    return "" if value in (None, "") else HOST.parse(value)


def fixed_ips_filters(texts: list[str]) -> list[Filter]:
    """`fixed_ips=ip_address=A`, `subnet_id=S` or `ip_address_substr=T`; repeated means either."""
    found: dict[str, list[str]] = {}
    for text in texts:
        name, _, value = text.partition("=")
        types = {"ip_address": IP, "subnet_id": UUID, _SUBSTRING: NAME}
        of_query = types[name].of_query if name in types else None
        if of_query is None:
            raise no_filter((text,))
        found.setdefault(f"fixed_ips.{name}", []).append(str(of_query(value)))
    if parts := found.pop(f"fixed_ips.{_SUBSTRING}", None):
        possible = [part.lower() for part in parts if _PART.fullmatch(part)]
        found[f"fixed_ips.{_SUBSTRING}"] = [msgspec.json.encode(possible).decode()]
    return [Filter(name, tuple(values)) for name, values in found.items()]


# Octavia sends a port's addresses back with a key of its own, which Neutron takes no notice of.
_FIXED_IP = record_of({}, {"subnet_id": UUID, "ip_address": IP}, ignored=("subnet",))
FIXED_IPS = list_of(_FIXED_IP, fixed_ips_listed_max, unique=False)
_MAC = nullable(MAC._replace(parse=_parse_mac))  # null: another is chosen
_HOST = FieldType("host name, or empty: nowhere", _parse_host, str, {"type": "string"})

_GROUPS = list_of(UUID, groups_listed_max)
_NULL_IS_NONE = null_is([], _GROUPS)

_ASSIGNMENT = {"ip_address": IP, "hostname": string(255), "fqdn": string(511)}
_REQUEST = {
    "request_groups": list_answered(
        record_answered(
            {
                "id": UUID,
                "required": list_answered(string(255)),
                "resources": map_answered(integer(0, (1 << 31) - 1)),
            }
        )
    ),
    "same_subtree": list_answered(UUID),
}
# Of a port that no host has plugged there is none of it.
_VIF_DETAILS = record_answered(
    {
        "connectivity": string(16),
        "port_filter": BOOLEAN,
        "ovs_hybrid_plug": BOOLEAN,
        "ovs_create_tap": BOOLEAN,
        "datapath_type": string(16),
        "bridge_name": string(64),
    }
)
_SUB_PORT = {
    "port_id": UUID,
    "segmentation_type": string(16),
    "segmentation_id": integer(0, 4_094),
    "mac_address": MAC,
}
_TRUNK = {"trunk_id": UUID, "sub_ports": list_answered(record_answered(_SUB_PORT))}
_ON_SEGMENT = {"id": UUID, "physical_network": string(64)}
_ON_TRUNK = {"trunk_id": UUID, "port_id": UUID, "segmentation_id": integer(0, 4_094)}


def groups_filter(texts: list[str]) -> list[Filter]:
    """`security_groups=ID`: ports in one of these groups."""
    return [Filter("security_groups", tuple(text.lower() for text in texts))]


PORT = Resource(
    name="port",
    collection="ports",
    title="Port",
    path="/v2.0/ports",
    fields=(
        standard.ID,
        standard.NAME,
        Field(name="network_id", type=UUID, required=True, put=False),
        Field(name="project_id", type=NAME, alias="tenant_id", put=False),
        Field(name="admin_state_up", type=BOOLEAN, default=True),
        read_only("status", string(16)),
        Field(name="mac_address", type=_MAC),
        Field(name="fixed_ips", type=FIXED_IPS, parts=("subnet_id", "ip_address")),
        Field(name="device_id", type=NAME, default=""),
        Field(name="device_owner", type=NAME, default=""),
        Field(name="binding:host_id", type=_HOST, default=""),
        read_only("binding:vif_type", string(64)),
        read_only("binding:vif_details", _VIF_DETAILS),
        Field(name="binding:vnic_type", type=VNIC_TYPE, default=NORMAL),
        Field(name="binding:profile", type=PROFILE, default={}),
        Field(name="port_security_enabled", type=BOOLEAN),
        Field(
            name="allowed_address_pairs",
            type=PAIRS,
            default=[],
            parts=("mac_address", "ip_address"),
        ),
        Field(name="security_groups", type=_NULL_IS_NONE),
        Field(name="extra_dhcp_opts", type=OPTIONS, default=[]),
        Field(name="propagate_uplink_status", type=BOOLEAN, default=True),
        Field(
            name="numa_affinity_policy",
            type=one_of("required", "preferred", "legacy", "socket", None),
            default=None,
        ),
        Field(
            name="trusted", type=nullable(BOOLEAN), default=None, filterable=False, sortable=False
        ),
        Field(name="device_profile", type=nullable(string(255)), default=None, put=False),
        Field(name="data_plane_status", type=one_of("ACTIVE", "DOWN", None), post=False),
        Field(name="dns_name", type=DNS_NAME, default=""),
        Field(name="dns_domain", type=DOMAIN, default=""),
        read_only("dns_assignment", list_answered(record_answered(_ASSIGNMENT))),
        Field(name="qos_policy_id", type=nullable(UUID), default=None),
        read_only("qos_network_policy_id", nullable(UUID), filterable=False, sortable=False),
        read_only("resource_request", nullable(record_answered(_REQUEST))),
        read_only("ip_allocation", string(16)),
        read_only("trunk_details", record_answered(_TRUNK)),
        read_only("trunk_subport", record_answered(_ON_TRUNK)),
        read_only("alcor:next_hop", one_of("up", "down"), filterable=False, sortable=False),
        read_only("alcor:segment", record_answered(_ON_SEGMENT), filterable=False, sortable=False),
        standard.DESCRIPTION,
        Field(name="tags", type=TAG_LIST, default=[], put=False),
        *standard.HISTORY,
    ),
    special_filters={"fixed_ips": fixed_ips_filters, "security_groups": groups_filter},
)


BINDING = Resource(
    name="binding",
    collection="bindings",
    title="PortBinding",
    path="/v2.0/ports/{port_id}/bindings",
    parent="port_id",
    policy_name="port_binding",
    extension="binding-extended",
    is_id=is_host_id,
    local_ids=True,
    fields=(
        Field(name="host", type=HOST, required=True, put=False),
        Field(name="vnic_type", type=VNIC_TYPE, default=NORMAL),
        Field(name="profile", type=PROFILE, default={}),
        read_only("status", string(16)),
        read_only("vif_type", string(64)),
        read_only("vif_details", _VIF_DETAILS),
    ),
    actions=(Action(name="activate"),),
)
