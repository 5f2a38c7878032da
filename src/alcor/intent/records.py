"""The records of the intent log: one per resource, whole, as the managers saved it.

A key is `<kind>/<id>`; the value is the record, encoded; no value means that it is gone. Statuses
are not here: what tenants want doesn't change when a host has done it. Only whether a node, or a
gateway's next hop, lives is here, as other hosts must know. Fields are only ever added, with a
default, so that old and new code read each other's records.
"""

import msgspec

from alcor.intent.local_ip_records import LocalIpAssociationRecord, LocalIpRecord
from alcor.intent.network_records import AddressRange as AddressRange
from alcor.intent.network_records import AddressScopeRecord as AddressScopeRecord
from alcor.intent.network_records import HostRoute as HostRoute
from alcor.intent.network_records import NetworkRecord as NetworkRecord
from alcor.intent.network_records import SegmentRangeRecord as SegmentRangeRecord
from alcor.intent.network_records import SegmentRecord as SegmentRecord
from alcor.intent.network_records import SubnetPoolRecord as SubnetPoolRecord
from alcor.intent.network_records import SubnetRecord as SubnetRecord
from alcor.intent.port_records import AddressPair as AddressPair
from alcor.intent.port_records import DhcpOption as DhcpOption
from alcor.intent.port_records import FixedIp as FixedIp
from alcor.intent.port_records import PortRecord as PortRecord
from alcor.intent.record import Record as Record
from alcor.intent.router_records import FloatingIpRecord as FloatingIpRecord
from alcor.intent.router_records import NdpProxyRecord as NdpProxyRecord
from alcor.intent.router_records import PortForwardingRecord as PortForwardingRecord
from alcor.intent.router_records import RouterGateway as RouterGateway
from alcor.intent.router_records import RouterRecord as RouterRecord
from alcor.intent.security_records import AddressGroupRecord as AddressGroupRecord
from alcor.intent.security_records import GroupRecord as GroupRecord
from alcor.intent.security_records import NetworkAclRecord as NetworkAclRecord
from alcor.intent.security_records import NetworkAclRuleRecord as NetworkAclRuleRecord
from alcor.intent.security_records import RuleRecord as RuleRecord
from alcor.intent.watching_records import (
    LogRecord,
    MeteringLabelRecord,
    MeteringRuleRecord,
    TapFlowRecord,
    TapMirrorRecord,
    TapServiceRecord,
)
from alcor.values.capacity import NOTHING, Capacity
from alcor.values.zones import ZONE


class NodeRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A host that runs an agent, and where its tunnels end."""

    id: str  # the host's name
    tunnel_ip: str
    availability_zone: str = ZONE
    physical_networks: tuple[str, ...] = ()  # to which it has an uplink
    capacity: Capacity = NOTHING  # what it has to guarantee
    alive: bool = True  # whether its agent was heard of lately, and nothing is missing there
    returning: bool = False  # heard of again: it fetches what it must have to be alive
    bridge: str = ""  # that interfaces are plugged into; empty when its agent has not said
    datapath_type: str = ""  # of the bridge; the same


class QuotaRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The limits that a project has of its own, by kind; -1: none. No record: the defaults."""

    id: str  # the project
    limits: dict[str, int] = msgspec.field(default_factory=dict)


class FlavorRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A way to have a service, as the operator named it."""

    name: str = ""
    service_type: str
    enabled: bool = True
    service_profiles: tuple[str, ...] = ()


class ServiceProfileRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a flavor's service is provided by."""

    driver: str = ""
    metainfo: str = ""
    enabled: bool = True


class QosRuleRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule of a QoS policy; what its type has not is 0, or empty."""

    type: str  # Neutron's name: bandwidth_limit, ...
    direction: str = ""  # egress: what machines send
    rate: int = 0  # kbit/s, or thousands of packets a second
    burst: int = 0  # kbit, or thousands of packets; 0: hosts choose
    dscp_mark: int = 0


class QosPolicyRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A QoS policy, with all its rules."""

    project_id: str
    name: str = ""
    rules: tuple[QosRuleRecord, ...] = ()


class TopologyRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A network and a router that a project was given because it asked."""

    id: str  # the project
    network_id: str
    router_id: str


# Of which kind each record is, and who tells it, under sequences of its own. Managers stand in the
# order in which they are made, and rebuilt.
KINDS_BY_MANAGER: dict[str, dict[str, type[Record]]] = {
    "network": {
        "network": NetworkRecord,
        "segment": SegmentRecord,
        "network_segment_range": SegmentRangeRecord,
    },
    "subnetpool": {"subnetpool": SubnetPoolRecord, "address_scope": AddressScopeRecord},
    "subnet": {"subnet": SubnetRecord},
    "node": {"node": NodeRecord},
    "port": {"port": PortRecord},
    "security_group": {
        "security_group": GroupRecord,
        "security_group_rule": RuleRecord,
        "address_group": AddressGroupRecord,
    },
    "network_acl": {"network_acl": NetworkAclRecord, "network_acl_rule": NetworkAclRuleRecord},
    "qos_policy": {"qos_policy": QosPolicyRecord},
    "router": {"router": RouterRecord},
    "elastic_ip": {
        "floating_ip": FloatingIpRecord,
        "ndp_proxy": NdpProxyRecord,
        "port_forwarding": PortForwardingRecord,
    },
    "flavor": {"flavor": FlavorRecord, "service_profile": ServiceProfileRecord},
    "metering": {"metering_label": MeteringLabelRecord, "metering_rule": MeteringRuleRecord},
    "local_ip": {"local_ip": LocalIpRecord, "local_ip_association": LocalIpAssociationRecord},
    "monitoring": {
        "log": LogRecord,
        "tap_mirror": TapMirrorRecord,
        "tap_service": TapServiceRecord,
        "tap_flow": TapFlowRecord,
    },
    "topology": {"auto_allocated_topology": TopologyRecord},
    "quota": {"quota": QuotaRecord},
}
MANAGERS = tuple(KINDS_BY_MANAGER)
TYPE_BY_KIND = {kind: type_ for kinds in KINDS_BY_MANAGER.values() for kind, type_ in kinds.items()}
_MANAGER_BY_KIND = {kind: name for name, kinds in KINDS_BY_MANAGER.items() for kind in kinds}

_encoder = msgspec.msgpack.Encoder()
_decoder_by_kind = {kind: msgspec.msgpack.Decoder(type_) for kind, type_ in TYPE_BY_KIND.items()}


def key(kind: str, id_: str) -> str:
    """The key of a record in the intent log."""
    return f"{kind}/{id_}"


def kinds_of(manager: str) -> list[str]:
    """The kinds of records that a manager tells."""
    return list(KINDS_BY_MANAGER.get(manager, ()))


def is_known(key_: str) -> bool:
    """Whether the key is of a kind of this release; a later one may have more."""
    return key_.partition("/")[0] in TYPE_BY_KIND


def manager_of(key_: str) -> str:
    """The name of the manager that tells the record of this key."""
    kind = key_.partition("/")[0]
    return _MANAGER_BY_KIND.get(kind, kind)


def encode(record: Record) -> bytes:
    """The bytes of a record (msgpack, fields by name)."""
    return _encoder.encode(record)


def decode(key_: str, value: bytes) -> Record:
    """The record of `value`, whose kind the key tells; `msgspec.ValidationError` when malformed."""
    return _decoder_by_kind[key_.partition("/")[0]].decode(value)
