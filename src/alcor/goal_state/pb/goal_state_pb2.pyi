from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ipv6Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IPV6_MODE_NONE: _ClassVar[Ipv6Mode]
    IPV6_MODE_SLAAC: _ClassVar[Ipv6Mode]
    IPV6_MODE_STATEFUL: _ClassVar[Ipv6Mode]
    IPV6_MODE_STATELESS: _ClassVar[Ipv6Mode]

class NextHop(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEXT_HOP_UNKNOWN: _ClassVar[NextHop]
    NEXT_HOP_UP: _ClassVar[NextHop]
    NEXT_HOP_DOWN: _ClassVar[NextHop]
IPV6_MODE_NONE: Ipv6Mode
IPV6_MODE_SLAAC: Ipv6Mode
IPV6_MODE_STATEFUL: Ipv6Mode
IPV6_MODE_STATELESS: Ipv6Mode
NEXT_HOP_UNKNOWN: NextHop
NEXT_HOP_UP: NextHop
NEXT_HOP_DOWN: NextHop

class FixedIp(_message.Message):
    __slots__ = ("subnet_id", "address")
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    subnet_id: str
    address: bytes
    def __init__(self, subnet_id: _Optional[str] = ..., address: _Optional[bytes] = ...) -> None: ...

class AddressPair(_message.Message):
    __slots__ = ("prefix", "mac")
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    prefix: Prefix
    mac: int
    def __init__(self, prefix: _Optional[_Union[Prefix, _Mapping]] = ..., mac: _Optional[int] = ...) -> None: ...

class DhcpOption(_message.Message):
    __slots__ = ("ip_version", "code", "value", "when")
    IP_VERSION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    ip_version: int
    code: int
    value: bytes
    when: int
    def __init__(self, ip_version: _Optional[int] = ..., code: _Optional[int] = ..., value: _Optional[bytes] = ..., when: _Optional[int] = ...) -> None: ...

class Port(_message.Message):
    __slots__ = ("network_id", "mac", "fixed_ips", "admin_state_up", "port_security", "name", "device_id", "security_groups", "filtered", "address_pairs", "dhcp_options", "project_id", "parent_id", "vlan", "qos_policy_id", "own_qos_only", "waits", "local_ips")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    FIXED_IPS_FIELD_NUMBER: _ClassVar[int]
    ADMIN_STATE_UP_FIELD_NUMBER: _ClassVar[int]
    PORT_SECURITY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SECURITY_GROUPS_FIELD_NUMBER: _ClassVar[int]
    FILTERED_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_PAIRS_FIELD_NUMBER: _ClassVar[int]
    DHCP_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    VLAN_FIELD_NUMBER: _ClassVar[int]
    QOS_POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    OWN_QOS_ONLY_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    LOCAL_IPS_FIELD_NUMBER: _ClassVar[int]
    network_id: str
    mac: int
    fixed_ips: _containers.RepeatedCompositeFieldContainer[FixedIp]
    admin_state_up: bool
    port_security: bool
    name: str
    device_id: str
    security_groups: _containers.RepeatedScalarFieldContainer[str]
    filtered: bool
    address_pairs: _containers.RepeatedCompositeFieldContainer[AddressPair]
    dhcp_options: _containers.RepeatedCompositeFieldContainer[DhcpOption]
    project_id: str
    parent_id: str
    vlan: int
    qos_policy_id: str
    own_qos_only: bool
    waits: bool
    local_ips: _containers.RepeatedCompositeFieldContainer[LocalIp]
    def __init__(self, network_id: _Optional[str] = ..., mac: _Optional[int] = ..., fixed_ips: _Optional[_Iterable[_Union[FixedIp, _Mapping]]] = ..., admin_state_up: _Optional[bool] = ..., port_security: _Optional[bool] = ..., name: _Optional[str] = ..., device_id: _Optional[str] = ..., security_groups: _Optional[_Iterable[str]] = ..., filtered: _Optional[bool] = ..., address_pairs: _Optional[_Iterable[_Union[AddressPair, _Mapping]]] = ..., dhcp_options: _Optional[_Iterable[_Union[DhcpOption, _Mapping]]] = ..., project_id: _Optional[str] = ..., parent_id: _Optional[str] = ..., vlan: _Optional[int] = ..., qos_policy_id: _Optional[str] = ..., own_qos_only: _Optional[bool] = ..., waits: _Optional[bool] = ..., local_ips: _Optional[_Iterable[_Union[LocalIp, _Mapping]]] = ...) -> None: ...

class LocalIp(_message.Message):
    __slots__ = ("address", "fixed", "passthrough")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    PASSTHROUGH_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    fixed: bytes
    passthrough: bool
    def __init__(self, address: _Optional[bytes] = ..., fixed: _Optional[bytes] = ..., passthrough: _Optional[bool] = ...) -> None: ...

class QosPolicy(_message.Message):
    __slots__ = ("limits", "dscp", "minimum")
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    DSCP_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    dscp: int
    minimum: int
    def __init__(self, limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ..., dscp: _Optional[int] = ..., minimum: _Optional[int] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("ingress", "per_packet", "rate", "burst")
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    PER_PACKET_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    ingress: bool
    per_packet: bool
    rate: int
    burst: int
    def __init__(self, ingress: _Optional[bool] = ..., per_packet: _Optional[bool] = ..., rate: _Optional[int] = ..., burst: _Optional[int] = ...) -> None: ...

class Network(_message.Message):
    __slots__ = ("vni", "mtu", "admin_state_up", "dns_domain", "physical_network", "vlan", "zone", "qos_policy_id", "lazy")
    VNI_FIELD_NUMBER: _ClassVar[int]
    MTU_FIELD_NUMBER: _ClassVar[int]
    ADMIN_STATE_UP_FIELD_NUMBER: _ClassVar[int]
    DNS_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PHYSICAL_NETWORK_FIELD_NUMBER: _ClassVar[int]
    VLAN_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    QOS_POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    LAZY_FIELD_NUMBER: _ClassVar[int]
    vni: int
    mtu: int
    admin_state_up: bool
    dns_domain: str
    physical_network: str
    vlan: int
    zone: str
    qos_policy_id: str
    lazy: bool
    def __init__(self, vni: _Optional[int] = ..., mtu: _Optional[int] = ..., admin_state_up: _Optional[bool] = ..., dns_domain: _Optional[str] = ..., physical_network: _Optional[str] = ..., vlan: _Optional[int] = ..., zone: _Optional[str] = ..., qos_policy_id: _Optional[str] = ..., lazy: _Optional[bool] = ...) -> None: ...

class Prefix(_message.Message):
    __slots__ = ("address", "length")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    length: int
    def __init__(self, address: _Optional[bytes] = ..., length: _Optional[int] = ...) -> None: ...

class Route(_message.Message):
    __slots__ = ("destination", "nexthop")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    NEXTHOP_FIELD_NUMBER: _ClassVar[int]
    destination: Prefix
    nexthop: bytes
    def __init__(self, destination: _Optional[_Union[Prefix, _Mapping]] = ..., nexthop: _Optional[bytes] = ...) -> None: ...

class Subnet(_message.Message):
    __slots__ = ("prefix", "gateway", "dhcp", "dns_nameservers", "host_routes", "ra_mode", "address_mode", "address_scope")
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    DHCP_FIELD_NUMBER: _ClassVar[int]
    DNS_NAMESERVERS_FIELD_NUMBER: _ClassVar[int]
    HOST_ROUTES_FIELD_NUMBER: _ClassVar[int]
    RA_MODE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_MODE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_SCOPE_FIELD_NUMBER: _ClassVar[int]
    prefix: Prefix
    gateway: bytes
    dhcp: bool
    dns_nameservers: _containers.RepeatedScalarFieldContainer[bytes]
    host_routes: _containers.RepeatedCompositeFieldContainer[Route]
    ra_mode: Ipv6Mode
    address_mode: Ipv6Mode
    address_scope: str
    def __init__(self, prefix: _Optional[_Union[Prefix, _Mapping]] = ..., gateway: _Optional[bytes] = ..., dhcp: _Optional[bool] = ..., dns_nameservers: _Optional[_Iterable[bytes]] = ..., host_routes: _Optional[_Iterable[_Union[Route, _Mapping]]] = ..., ra_mode: _Optional[_Union[Ipv6Mode, str]] = ..., address_mode: _Optional[_Union[Ipv6Mode, str]] = ..., address_scope: _Optional[str] = ...) -> None: ...

class Neighbour(_message.Message):
    __slots__ = ("mac", "addresses", "host", "tunnel_endpoint", "pairs", "also")
    MAC_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    TUNNEL_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    mac: int
    addresses: _containers.RepeatedScalarFieldContainer[bytes]
    host: str
    tunnel_endpoint: bytes
    pairs: _containers.RepeatedCompositeFieldContainer[AddressPair]
    also: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, mac: _Optional[int] = ..., addresses: _Optional[_Iterable[bytes]] = ..., host: _Optional[str] = ..., tunnel_endpoint: _Optional[bytes] = ..., pairs: _Optional[_Iterable[_Union[AddressPair, _Mapping]]] = ..., also: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Presence(_message.Message):
    __slots__ = ("tunnel_endpoint",)
    TUNNEL_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    tunnel_endpoint: bytes
    def __init__(self, tunnel_endpoint: _Optional[bytes] = ...) -> None: ...

class Name(_message.Message):
    __slots__ = ("name", "domain", "addresses")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    name: str
    domain: str
    addresses: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, name: _Optional[str] = ..., domain: _Optional[str] = ..., addresses: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("stateful",)
    STATEFUL_FIELD_NUMBER: _ClassVar[int]
    stateful: bool
    def __init__(self, stateful: _Optional[bool] = ...) -> None: ...

class PortRange(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class Rule(_message.Message):
    __slots__ = ("ingress", "ip_version", "protocol", "ports", "icmp_type", "icmp_code", "remote", "remote_group_id", "remote_addresses_id")
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    IP_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    ICMP_TYPE_FIELD_NUMBER: _ClassVar[int]
    ICMP_CODE_FIELD_NUMBER: _ClassVar[int]
    REMOTE_FIELD_NUMBER: _ClassVar[int]
    REMOTE_GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESSES_ID_FIELD_NUMBER: _ClassVar[int]
    ingress: bool
    ip_version: int
    protocol: int
    ports: PortRange
    icmp_type: int
    icmp_code: int
    remote: Prefix
    remote_group_id: str
    remote_addresses_id: str
    def __init__(self, ingress: _Optional[bool] = ..., ip_version: _Optional[int] = ..., protocol: _Optional[int] = ..., ports: _Optional[_Union[PortRange, _Mapping]] = ..., icmp_type: _Optional[int] = ..., icmp_code: _Optional[int] = ..., remote: _Optional[_Union[Prefix, _Mapping]] = ..., remote_group_id: _Optional[str] = ..., remote_addresses_id: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("prefixes",)
    PREFIXES_FIELD_NUMBER: _ClassVar[int]
    prefixes: _containers.RepeatedCompositeFieldContainer[Prefix]
    def __init__(self, prefixes: _Optional[_Iterable[_Union[Prefix, _Mapping]]] = ...) -> None: ...

class SubnetAcl(_message.Message):
    __slots__ = ("acl_id",)
    ACL_ID_FIELD_NUMBER: _ClassVar[int]
    acl_id: str
    def __init__(self, acl_id: _Optional[str] = ...) -> None: ...

class AclRule(_message.Message):
    __slots__ = ("number", "ingress", "allow", "ip_version", "peer", "protocol", "ports", "icmp_type", "icmp_code")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FIELD_NUMBER: _ClassVar[int]
    IP_VERSION_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    ICMP_TYPE_FIELD_NUMBER: _ClassVar[int]
    ICMP_CODE_FIELD_NUMBER: _ClassVar[int]
    number: int
    ingress: bool
    allow: bool
    ip_version: int
    peer: Prefix
    protocol: int
    ports: PortRange
    icmp_type: int
    icmp_code: int
    def __init__(self, number: _Optional[int] = ..., ingress: _Optional[bool] = ..., allow: _Optional[bool] = ..., ip_version: _Optional[int] = ..., peer: _Optional[_Union[Prefix, _Mapping]] = ..., protocol: _Optional[int] = ..., ports: _Optional[_Union[PortRange, _Mapping]] = ..., icmp_type: _Optional[int] = ..., icmp_code: _Optional[int] = ...) -> None: ...

class Addresses(_message.Message):
    __slots__ = ("prefixes",)
    PREFIXES_FIELD_NUMBER: _ClassVar[int]
    prefixes: _containers.RepeatedCompositeFieldContainer[Prefix]
    def __init__(self, prefixes: _Optional[_Iterable[_Union[Prefix, _Mapping]]] = ...) -> None: ...

class Attachment(_message.Message):
    __slots__ = ("router_id",)
    ROUTER_ID_FIELD_NUMBER: _ClassVar[int]
    router_id: str
    def __init__(self, router_id: _Optional[str] = ...) -> None: ...

class Router(_message.Message):
    __slots__ = ("admin_state_up", "routes", "snat", "project_id", "qos_policy_id", "ndp_proxy", "exits", "untranslated", "ecmp", "helpers", "availability_zones", "bfd")
    ADMIN_STATE_UP_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    SNAT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    QOS_POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    NDP_PROXY_FIELD_NUMBER: _ClassVar[int]
    EXITS_FIELD_NUMBER: _ClassVar[int]
    UNTRANSLATED_FIELD_NUMBER: _ClassVar[int]
    ECMP_FIELD_NUMBER: _ClassVar[int]
    HELPERS_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_ZONES_FIELD_NUMBER: _ClassVar[int]
    BFD_FIELD_NUMBER: _ClassVar[int]
    admin_state_up: bool
    routes: _containers.RepeatedCompositeFieldContainer[Route]
    snat: bool
    project_id: str
    qos_policy_id: str
    ndp_proxy: bool
    exits: _containers.RepeatedScalarFieldContainer[str]
    untranslated: _containers.RepeatedScalarFieldContainer[str]
    ecmp: bool
    helpers: _containers.RepeatedCompositeFieldContainer[Helper]
    availability_zones: _containers.RepeatedScalarFieldContainer[str]
    bfd: bool
    def __init__(self, admin_state_up: _Optional[bool] = ..., routes: _Optional[_Iterable[_Union[Route, _Mapping]]] = ..., snat: _Optional[bool] = ..., project_id: _Optional[str] = ..., qos_policy_id: _Optional[str] = ..., ndp_proxy: _Optional[bool] = ..., exits: _Optional[_Iterable[str]] = ..., untranslated: _Optional[_Iterable[str]] = ..., ecmp: _Optional[bool] = ..., helpers: _Optional[_Iterable[_Union[Helper, _Mapping]]] = ..., availability_zones: _Optional[_Iterable[str]] = ..., bfd: _Optional[bool] = ...) -> None: ...

class Helper(_message.Message):
    __slots__ = ("protocol", "port", "name")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    port: int
    name: str
    def __init__(self, protocol: _Optional[int] = ..., port: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class Gateway(_message.Message):
    __slots__ = ("network_id", "mac", "fixed_ips", "next_hop")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    FIXED_IPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_HOP_FIELD_NUMBER: _ClassVar[int]
    network_id: str
    mac: int
    fixed_ips: _containers.RepeatedCompositeFieldContainer[FixedIp]
    next_hop: NextHop
    def __init__(self, network_id: _Optional[str] = ..., mac: _Optional[int] = ..., fixed_ips: _Optional[_Iterable[_Union[FixedIp, _Mapping]]] = ..., next_hop: _Optional[_Union[NextHop, str]] = ...) -> None: ...

class FloatingIp(_message.Message):
    __slots__ = ("network_id", "mac", "address", "port_id", "fixed", "name", "qos_policy_id")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PORT_ID_FIELD_NUMBER: _ClassVar[int]
    FIXED_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QOS_POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    network_id: str
    mac: int
    address: bytes
    port_id: str
    fixed: bytes
    name: str
    qos_policy_id: str
    def __init__(self, network_id: _Optional[str] = ..., mac: _Optional[int] = ..., address: _Optional[bytes] = ..., port_id: _Optional[str] = ..., fixed: _Optional[bytes] = ..., name: _Optional[str] = ..., qos_policy_id: _Optional[str] = ...) -> None: ...

class NdpProxy(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    def __init__(self, address: _Optional[bytes] = ...) -> None: ...

class Forwarding(_message.Message):
    __slots__ = ("protocol", "outer", "address", "inner")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    OUTER_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    INNER_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    outer: PortRange
    address: bytes
    inner: PortRange
    def __init__(self, protocol: _Optional[int] = ..., outer: _Optional[_Union[PortRange, _Mapping]] = ..., address: _Optional[bytes] = ..., inner: _Optional[_Union[PortRange, _Mapping]] = ...) -> None: ...

class UplinkNode(_message.Message):
    __slots__ = ("tunnel_endpoint", "availability_zone")
    TUNNEL_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_ZONE_FIELD_NUMBER: _ClassVar[int]
    tunnel_endpoint: bytes
    availability_zone: str
    def __init__(self, tunnel_endpoint: _Optional[bytes] = ..., availability_zone: _Optional[str] = ...) -> None: ...

class WayOut(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RouterInterface(_message.Message):
    __slots__ = ("network_id", "mac", "fixed_ips", "admin_state_up")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    FIXED_IPS_FIELD_NUMBER: _ClassVar[int]
    ADMIN_STATE_UP_FIELD_NUMBER: _ClassVar[int]
    network_id: str
    mac: int
    fixed_ips: _containers.RepeatedCompositeFieldContainer[FixedIp]
    admin_state_up: bool
    def __init__(self, network_id: _Optional[str] = ..., mac: _Optional[int] = ..., fixed_ips: _Optional[_Iterable[_Union[FixedIp, _Mapping]]] = ..., admin_state_up: _Optional[bool] = ...) -> None: ...

class MeteringRule(_message.Message):
    __slots__ = ("label_id", "ingress", "excluded", "source", "destination")
    LABEL_ID_FIELD_NUMBER: _ClassVar[int]
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    label_id: str
    ingress: bool
    excluded: bool
    source: Prefix
    destination: Prefix
    def __init__(self, label_id: _Optional[str] = ..., ingress: _Optional[bool] = ..., excluded: _Optional[bool] = ..., source: _Optional[_Union[Prefix, _Mapping]] = ..., destination: _Optional[_Union[Prefix, _Mapping]] = ...) -> None: ...

class PortLog(_message.Message):
    __slots__ = ("port_id", "group_id", "accepted", "dropped")
    PORT_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    port_id: str
    group_id: str
    accepted: bool
    dropped: bool
    def __init__(self, port_id: _Optional[str] = ..., group_id: _Optional[str] = ..., accepted: _Optional[bool] = ..., dropped: _Optional[bool] = ...) -> None: ...

class GroupLog(_message.Message):
    __slots__ = ("accepted", "dropped")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    dropped: bool
    def __init__(self, accepted: _Optional[bool] = ..., dropped: _Optional[bool] = ...) -> None: ...

class AclLog(_message.Message):
    __slots__ = ("accepted", "dropped")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    dropped: bool
    def __init__(self, accepted: _Optional[bool] = ..., dropped: _Optional[bool] = ...) -> None: ...

class Mirror(_message.Message):
    __slots__ = ("port_id", "remote", "erspan", "ingress", "egress")
    PORT_ID_FIELD_NUMBER: _ClassVar[int]
    REMOTE_FIELD_NUMBER: _ClassVar[int]
    ERSPAN_FIELD_NUMBER: _ClassVar[int]
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    EGRESS_FIELD_NUMBER: _ClassVar[int]
    port_id: str
    remote: bytes
    erspan: bool
    ingress: int
    egress: int
    def __init__(self, port_id: _Optional[str] = ..., remote: _Optional[bytes] = ..., erspan: _Optional[bool] = ..., ingress: _Optional[int] = ..., egress: _Optional[int] = ...) -> None: ...

class Tap(_message.Message):
    __slots__ = ("port_id", "number")
    PORT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    port_id: str
    number: int
    def __init__(self, port_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class TapFlow(_message.Message):
    __slots__ = ("port_id", "tap_port_id", "number", "endpoints", "ingress", "egress")
    PORT_ID_FIELD_NUMBER: _ClassVar[int]
    TAP_PORT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    EGRESS_FIELD_NUMBER: _ClassVar[int]
    port_id: str
    tap_port_id: str
    number: int
    endpoints: _containers.RepeatedScalarFieldContainer[bytes]
    ingress: bool
    egress: bool
    def __init__(self, port_id: _Optional[str] = ..., tap_port_id: _Optional[str] = ..., number: _Optional[int] = ..., endpoints: _Optional[_Iterable[bytes]] = ..., ingress: _Optional[bool] = ..., egress: _Optional[bool] = ...) -> None: ...
