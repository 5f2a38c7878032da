"""The records of the intent log: one per resource, whole, as the managers saved it.

A key is `<kind>/<id>`; the value is the record, encoded; no value means that it is gone. Statuses
are not here: what tenants want doesn't change when a host has done it. Fields are only ever added,
with a default, so that old and new code read each other's records.
"""

import msgspec

from alcor.intent.local_ip_records import LocalIpAssociationRecord, LocalIpRecord
from alcor.intent.watching_records import (
    LogRecord,
    MeteringLabelRecord,
    MeteringRuleRecord,
    TapMirrorRecord,
)


class NetworkRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network (the VPC of a tenant): one broadcast domain with its own VNI."""

    id: str
    project_id: str
    name: str = ""
    admin_state_up: bool = True
    vni: int  # VXLAN network identifier, 24 bits
    mtu: int  # bytes a machine may send
    dns_domain: str = ""
    external: bool = False  # routers may have gateways on it, and floating IPs are of it
    network_type: str = "vxlan"
    physical_network: str = ""  # of flat and VLAN networks
    segmentation_id: int | None = None  # the VLAN id of a VLAN network
    port_security_enabled: bool = True  # of its ports, unless they say otherwise
    shared_with: tuple[str, ...] = ()  # projects that may use it beside its own; "*": all
    qos_policy_id: str = ""  # of its ports that have none of their own


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
    ipv6_ra_mode: str | None = None  # who advertises the prefix: a host of ours, unless None
    ipv6_address_mode: str | None = None  # how machines get addresses; Neutron's three words
    service_types: tuple[str, ...] = ()  # only for ports of these device owners; none: for all
    subnetpool_id: str = ""  # the pool that its CIDR is of
    dns_publish_fixed_ip: bool = False  # names of ports lead to their addresses in it


class FixedIp(msgspec.Struct, frozen=True):
    """An address of a port, and the subnet it is of."""

    subnet_id: str
    ip_address: str


class AddressPair(msgspec.Struct, frozen=True):
    """Addresses that a port may use besides its own: a prefix, and the MAC that goes with it."""

    ip_address: str  # CIDR without host bits; one address is a /32 or /128
    mac_address: str  # the port's own, unless the client named another


class DhcpOption(msgspec.Struct, frozen=True):
    """One more option that DHCP gives to the machine of a port."""

    opt_name: str  # dnsmasq's name ("bootfile-name") or number ("67", "option:67")
    opt_value: str
    ip_version: int = 4  # 4: DHCPv4, 6: DHCPv6


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
    security_groups: tuple[str, ...] = ()  # their ids; none: only DHCP, ARP and ND pass
    dns_name: str = ""  # relative to the region's domain
    dns_domain: str = ""  # the port's own, besides the region's and its network's
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    extra_dhcp_opts: tuple[DhcpOption, ...] = ()  # one a name and family
    qos_policy_id: str = ""  # its own, before its network's
    parent_id: str = ""  # of a trunk's sub-port: the port whose interface it is heard on
    segmentation_id: int = 0  # of a sub-port: the VLAN id of its frames there
    waiting_hosts: tuple[str, ...] = ()  # to which its machine is moved, or from which it has come

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those that know the port: the one that it is bound to, then those that wait."""
        return (self.host, *self.waiting_hosts) if self.host else ()


class RouterGateway(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a router meets an external network: by a port of device owner router_gateway."""

    network_id: str
    port_id: str
    enable_snat: bool = True
    fixed_ips: tuple[FixedIp, ...] = ()  # those of the port
    qos_policy_id: str = ""  # of what leaves and comes under the router's own address


class RouterRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A router; its interfaces are the ports whose `device_id` it is.

    An interface's device owner is `network:router_interface` (or `_distributed`), a gateway's
    `network:router_gateway`.
    """

    id: str
    project_id: str
    name: str = ""
    admin_state_up: bool = True
    routes: tuple[HostRoute, ...] = ()  # none twice
    gateway: RouterGateway | None = None
    ndp_proxy: bool = False  # whether it answers outside for its NDP proxies
    more_gateways: tuple[RouterGateway, ...] = ()  # beside `gateway`, each to another network
    ecmp: bool = False  # whether what no route leads to leaves by all gateways

    @property
    def gateways(self) -> tuple[RouterGateway, ...]:
        """All of them, in order."""
        return (*([self.gateway] if self.gateway is not None else []), *self.more_gateways)


class NdpProxyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An IPv6 address behind a router that the router answers for on its external network."""

    id: str
    project_id: str
    router_id: str
    ip_address: str


class FloatingIpRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address of an external network, given to a fixed address behind a router.

    Its own port (`floating_port_id`, with `mac_address`) holds the address. Without `port_id` it is
    given to nobody, or its port forwardings use it.
    """

    id: str
    project_id: str
    floating_network_id: str
    floating_ip_address: str
    floating_port_id: str
    mac_address: str
    router_id: str = ""  # the router that translates; empty: none
    port_id: str = ""  # the internal port; with it always `fixed_ip_address`
    fixed_ip_address: str = ""
    dns_name: str = ""  # whole, without the last dot
    dns_domain: str = ""  # the zone that its own name is of
    qos_policy_id: str = ""


class PortForwardingRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some ports of a floating IP's address, given to ports of an internal address.

    Both ranges are inclusive and of one length, or the internal range is a single port.
    """

    id: str
    floating_ip_id: str
    protocol: int  # IP protocol number: TCP, UDP, SCTP, ...
    external_ports: tuple[int, int]
    internal_port_id: str
    internal_ip: str
    internal_ports: tuple[int, int]


class NodeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A host that runs an agent, and where its tunnels end."""

    id: str  # the host's name
    tunnel_ip: str
    physical_networks: tuple[str, ...] = ()  # to which it has an uplink
    alive: bool = True  # whether its agent was heard of lately, and nothing is missing there
    returning: bool = False  # heard of again: it fetches what it must have to be alive


class GroupRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A security group; its rules are records of their own."""

    id: str
    project_id: str
    name: str = ""
    stateful: bool = True  # False: no connection tracking, replies need rules of their own


class RuleRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a security group lets pass; at most one of the three remotes is given.

    `ports` are destination ports, both ends included; None: any. An ICMP code is only there with
    its type.
    """

    id: str
    group_id: str
    ingress: bool  # towards the port; else egress
    ip_version: int  # 4 or 6
    protocol: int | None = None  # IP protocol number; None: any
    ports: tuple[int, int] | None = None  # of TCP, UDP, SCTP, DCCP, UDP-Lite
    icmp_type: int | None = None
    icmp_code: int | None = None
    remote_cidr: str = ""  # no host bits; empty: anybody, unless a group is named
    remote_group_id: str = ""  # the addresses of this security group's members
    remote_address_group_id: str = ""


class AddressGroupRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Prefixes under a name, of both families, none twice, without host bits."""

    id: str
    project_id: str
    addresses: tuple[str, ...] = ()


class NetworkAclRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stateless filter at the edge of its subnets: what no rule of it allows is denied."""

    id: str
    project_id: str
    subnet_ids: tuple[str, ...] = ()  # a subnet has at most one ACL


class NetworkAclRuleRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule of an ACL: of those that match a packet, the lowest number decides."""

    id: str
    acl_id: str
    number: int  # 1 to 32766, unique in a direction of the ACL
    ingress: bool  # into the subnet; else out of it
    allow: bool  # else deny
    ip_version: int  # 4 or 6
    cidr: str = ""  # of the peer: source of ingress, destination of egress; empty: anybody
    protocol: int | None = None  # IP protocol number; None: any
    ports: tuple[int, int] | None = None  # destination ports, both ends included
    icmp_type: int | None = None
    icmp_code: int | None = None


class QuotaRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The limits that a project has of its own, by kind; -1: none. No record: the defaults."""

    id: str  # the project
    limits: dict[str, int] = {}


class AddressScopeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scope in which no two subnet pools have an address in common."""

    id: str
    project_id: str
    name: str = ""
    ip_version: int  # 4 or 6


class SubnetPoolRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Prefixes that subnets are cut from."""

    id: str
    project_id: str
    name: str = ""
    ip_version: int  # 4 or 6
    prefixes: tuple[str, ...]
    address_scope_id: str = ""


class FlavorRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A way to have a service, as the operator named it."""

    id: str
    name: str = ""
    service_type: str
    enabled: bool = True
    service_profiles: tuple[str, ...] = ()


class ServiceProfileRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a flavor's service is provided by."""

    id: str
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


class QosPolicyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A QoS policy, with all its rules."""

    id: str
    project_id: str
    name: str = ""
    rules: tuple[QosRuleRecord, ...] = ()


class TopologyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network and a router that a project was given because it asked."""

    id: str  # the project
    network_id: str
    router_id: str


class SegmentRangeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Segmentation ids that are kept for a project's networks, or are everybody's."""

    id: str
    project_id: str = ""  # empty: everybody's
    network_type: str
    physical_network: str = ""
    minimum: int
    maximum: int


Record = (
    NetworkRecord
    | SubnetRecord
    | PortRecord
    | NodeRecord
    | GroupRecord
    | RuleRecord
    | AddressGroupRecord
    | NetworkAclRecord
    | NetworkAclRuleRecord
    | QuotaRecord
    | RouterRecord
    | FloatingIpRecord
    | NdpProxyRecord
    | PortForwardingRecord
    | LocalIpRecord
    | LocalIpAssociationRecord
    | AddressScopeRecord
    | SubnetPoolRecord
    | FlavorRecord
    | ServiceProfileRecord
    | QosPolicyRecord
    | MeteringLabelRecord
    | MeteringRuleRecord
    | LogRecord
    | TapMirrorRecord
    | TopologyRecord
    | SegmentRangeRecord
)

TYPE_BY_KIND: dict[str, type[Record]] = {
    "network": NetworkRecord,
    "subnet": SubnetRecord,
    "port": PortRecord,
    "node": NodeRecord,
    "security_group": GroupRecord,
    "security_group_rule": RuleRecord,
    "address_group": AddressGroupRecord,
    "network_acl": NetworkAclRecord,
    "network_acl_rule": NetworkAclRuleRecord,
    "quota": QuotaRecord,
    "router": RouterRecord,
    "floating_ip": FloatingIpRecord,
    "ndp_proxy": NdpProxyRecord,
    "port_forwarding": PortForwardingRecord,
    "local_ip": LocalIpRecord,
    "local_ip_association": LocalIpAssociationRecord,
    "address_scope": AddressScopeRecord,
    "subnetpool": SubnetPoolRecord,
    "flavor": FlavorRecord,
    "service_profile": ServiceProfileRecord,
    "qos_policy": QosPolicyRecord,
    "metering_label": MeteringLabelRecord,
    "metering_rule": MeteringRuleRecord,
    "log": LogRecord,
    "tap_mirror": TapMirrorRecord,
    "auto_allocated_topology": TopologyRecord,
    "network_segment_range": SegmentRangeRecord,
}

# Who tells a kind's records, under sequences of its own; left out: the manager of the kind's name.
MANAGER_BY_KIND = {
    "security_group_rule": "security_group",
    "address_group": "security_group",
    "network_acl_rule": "network_acl",
    "floating_ip": "elastic_ip",
    "ndp_proxy": "elastic_ip",
    "port_forwarding": "elastic_ip",
    "local_ip_association": "local_ip",
    "address_scope": "subnetpool",
    "service_profile": "flavor",
    "metering_label": "metering",
    "metering_rule": "metering",
    "log": "monitoring",
    "tap_mirror": "monitoring",
    "auto_allocated_topology": "topology",
    "network_segment_range": "network",
}

_encoder = msgspec.msgpack.Encoder()
_decoder_by_kind = {kind: msgspec.msgpack.Decoder(type_) for kind, type_ in TYPE_BY_KIND.items()}


def key(kind: str, id_: str) -> str:
    """The key of a record in the intent log."""
    return f"{kind}/{id_}"


def kinds_of(manager: str) -> list[str]:
    """The kinds of records that a manager tells."""
    return [kind for kind in TYPE_BY_KIND if MANAGER_BY_KIND.get(kind, kind) == manager]


def manager_of(key_: str) -> str:
    """The name of the manager that tells the record of this key."""
    kind = key_.partition("/")[0]
    return MANAGER_BY_KIND.get(kind, kind)


def encode(record: Record) -> bytes:
    """The bytes of a record (msgpack, fields by name)."""
    return _encoder.encode(record)


def decode(key_: str, value: bytes) -> Record:
    """The record of `value`, whose kind the key tells; `msgspec.ValidationError` when malformed."""
    return _decoder_by_kind[key_.partition("/")[0]].decode(value)
