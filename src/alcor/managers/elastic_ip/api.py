"""Floating IPs and port forwardings as clients see them. Source: Neutron API reference v2."""

from alcor.managers.elastic_ip.model.port_forwarding import NUMBER_BY_PROTOCOL
from alcor.resource import standard
from alcor.resource.answers import list_answered, record_answered
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    DOMAIN,
    IP,
    MAC,
    NAME,
    UUID,
    FieldType,
    integer,
    integer_of,
    nullable,
    shown,
    string,
)
from alcor.resource.host_names import DNS_NAME
from alcor.resource.tags import TAG_LIST
from alcor.values.errors import InvalidInput

_PORT = integer(1, 65_535)
_PROTOCOL_BY_NUMBER = {number: name for name, number in NUMBER_BY_PROTOCOL.items()}


def _parse_protocol(value: object) -> object:
    name = value.lower() if isinstance(value, str) else ""
    if name not in NUMBER_BY_PROTOCOL:
        try:
            name = _PROTOCOL_BY_NUMBER[integer_of(value)]
        except (KeyError, InvalidInput):
            allowed = ", ".join(NUMBER_BY_PROTOCOL)
            raise ValueError(f"{shown(value)} is not in [{allowed}]") from None
    return name


def _parse_range(value: object) -> object:
    """`80`, `80:80` or `80:90`, as it is shown: with both ends."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    low, colon, high = text.partition(":")
    try:
        first = _PORT.parse(low)
        last = _PORT.parse(high) if colon else first
    except InvalidInput:
        raise ValueError(f"{shown(value)} is not a port range") from None
    if int(str(first)) > int(str(last)):
        raise ValueError(f"{shown(value)} is not a port range: it ends before it begins")
    return f"{first}:{last}"


def _range_of_query(text: str) -> str:
    try:
        return str(_parse_range(text))
    except ValueError:
        return text


_RANGE = FieldType(
    "port range",
    _parse_range,
    _range_of_query,
    {"type": "string", "pattern": "^[0-9]{1,5}(:[0-9]{1,5})?$"},
)
_PROTOCOL = FieldType(
    "protocol of port forwardings",
    _parse_protocol,
    str.lower,
    {"enum": list(NUMBER_BY_PROTOCOL)},
)
_PORT_DETAILS = {
    "name": NAME,
    "network_id": UUID,
    "mac_address": MAC,
    "admin_state_up": BOOLEAN,
    "status": string(16),
    "device_id": NAME,
    "device_owner": NAME,
}
_FORWARDING = {
    "id": UUID,
    "protocol": _PROTOCOL,
    "internal_port_id": UUID,
    "internal_ip_address": IP,
    "internal_port": nullable(_PORT),
    "external_port": nullable(_PORT),
    "internal_port_range": _RANGE,
    "external_port_range": _RANGE,
}

FLOATING_IP = Resource(
    name="floatingip",
    collection="floatingips",
    title="FloatingIP",
    path="/v2.0/floatingips",
    extension="router",
    fields=(
        standard.ID,
        Field(name="floating_network_id", type=UUID, required=True, put=False),
        Field(name="floating_ip_address", type=nullable(IP), default=None, put=False),
        Field(name="subnet_id", type=nullable(UUID), default=None, put=False, filterable=False),
        standard.PROJECT,
        Field(name="port_id", type=nullable(UUID), default=None),
        Field(name="fixed_ip_address", type=nullable(IP), default=None),
        standard.DESCRIPTION,
        Field(name="qos_policy_id", type=nullable(UUID), default=None),
        read_only("qos_network_policy_id", nullable(UUID), filterable=False, sortable=False),
        Field(name="dns_name", type=DNS_NAME, default="", put=False),
        Field(name="dns_domain", type=DOMAIN, default="", put=False),
        Field(name="router_id", type=nullable(UUID), default=None),
        read_only("status", string(16)),
        read_only("port_details", nullable(record_answered(_PORT_DETAILS))),
        read_only("port_forwardings", list_answered(record_answered(_FORWARDING))),
        read_only("tags", TAG_LIST),
        *standard.HISTORY,
    ),
)

NDP_PROXY = Resource(
    name="ndp_proxy",
    collection="ndp_proxies",
    title="NDPProxy",
    path="/v2.0/ndp_proxies",
    extension="l3-ndp-proxy",
    fields=(
        standard.ID,
        standard.NAME,
        standard.PROJECT,
        Field(name="router_id", type=UUID, required=True, put=False),
        Field(name="port_id", type=UUID, required=True, put=False),
        Field(name="ip_address", type=nullable(IP), default=None, put=False),
        Field(name="description", type=string(1_024), default=""),
    ),
)

FLOATING_IP_POOL = Resource(
    name="floatingip_pool",
    collection="floatingip_pools",
    title="FloatingIPPool",
    path="/v2.0/floatingip-pools",
    extension="floatingip-pools",
    creatable=False,
    updatable=False,
    deletable=False,
    fields=(
        read_only("network_id", UUID),
        read_only("subnet_id", UUID),
        read_only("subnet_name", string(255)),
        read_only("project_id", string(255), alias="tenant_id"),
        read_only("cidr", string(64)),
    ),
)

PORT_FORWARDING = Resource(
    name="port_forwarding",
    collection="port_forwardings",
    title="PortForwarding",
    path="/v2.0/floatingips/{floatingip_id}/port_forwardings",
    parent="floatingip_id",
    policy_name="floatingip_port_forwarding",
    extension="floating-ip-port-forwarding",
    fields=(
        standard.ID,
        Field(name="protocol", type=_PROTOCOL, required=True),
        Field(name="internal_port_id", type=UUID, required=True),
        Field(name="internal_ip_address", type=IP, required=True),
        Field(name="internal_port", type=nullable(_PORT), default=None, filterable=False),
        Field(name="external_port", type=nullable(_PORT), default=None),
        Field(name="internal_port_range", type=nullable(_RANGE), default=None, filterable=False),
        Field(name="external_port_range", type=nullable(_RANGE), default=None),
        Field(name="description", type=string(1_024), default=""),
    ),
)
