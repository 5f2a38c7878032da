"""The records of the intent log: one per resource, whole, as the managers saved it.

A key is `<kind>/<id>`; the value is the record, encoded; no value means that it is gone. Statuses
are not here: what tenants want doesn't change when a host has done it. Fields are only ever added,
with a default, so that old and new code read each other's records.
"""

import msgspec


class NetworkRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network (the VPC of a tenant): one broadcast domain with its own VNI."""

    id: str
    project_id: str
    name: str = ""
    admin_state_up: bool = True
    vni: int  # VXLAN network identifier, 24 bits
    mtu: int  # bytes a machine may send
    dns_domain: str = ""


class HostRoute(msgspec.Struct, frozen=True):
    """A route that DHCP gives to machines: CIDR and next hop, as text."""

    destination: str
    nexthop: str


class AddressRange(msgspec.Struct, frozen=True):
    """An allocation pool: first and last address, as text, both included."""

    start: str
    end: str


class SubnetRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subnet: the addresses of a network, and what DHCP tells its machines."""

    id: str
    network_id: str
    project_id: str
    name: str = ""
    ip_version: int
    cidr: str
    gateway_ip: str | None = None
    enable_dhcp: bool = True
    allocation_pools: tuple[AddressRange, ...] = ()
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[HostRoute, ...] = ()


class FixedIp(msgspec.Struct, frozen=True):
    """An address of a port, and the subnet it is of."""

    subnet_id: str
    ip_address: str


class PortRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A port: the place where one machine's interface meets its network."""

    id: str
    network_id: str
    project_id: str
    name: str = ""
    mac_address: str
    fixed_ips: tuple[FixedIp, ...] = ()
    admin_state_up: bool = True
    host: str = ""  # binding:host_id; empty: bound nowhere
    device_id: str = ""
    device_owner: str = ""
    port_security_enabled: bool = True


class NodeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A host that runs an agent, and where its tunnels end."""

    id: str  # the host's name
    tunnel_ip: str


Record = NetworkRecord | SubnetRecord | PortRecord | NodeRecord

TYPE_BY_KIND: dict[str, type[Record]] = {
    "network": NetworkRecord,
    "subnet": SubnetRecord,
    "port": PortRecord,
    "node": NodeRecord,
}

_encoder = msgspec.msgpack.Encoder()
_decoder_by_kind = {kind: msgspec.msgpack.Decoder(type_) for kind, type_ in TYPE_BY_KIND.items()}


def key(kind: str, id_: str) -> str:
    """The key of a record in the intent log."""
    return f"{kind}/{id_}"


def encode(record: Record) -> bytes:
    """The bytes of a record (msgpack, fields by name)."""
    return _encoder.encode(record)


def decode(key_: str, value: bytes) -> Record:
    """The record of `value`, whose kind the key tells; `msgspec.ValidationError` when malformed."""
    return _decoder_by_kind[key_.partition("/")[0]].decode(value)
