"""The entries of goal state as values: what hosts must know, and nothing else.

Addresses are numbers with their family; a tunnel endpoint is the underlay address of a host.
`codec.py` gives their bytes (proto/alcor/v1/goal_state.proto).
"""

from enum import IntEnum
from typing import NamedTuple

from alcor.values.addresses import Address, Mac, Prefix
from alcor.values.dhcp_options import DhcpOption


class FixedIp(NamedTuple):
    """An address of a port, and the subnet it is of."""

    subnet_id: str
    address: Address


class AddressPair(NamedTuple):
    """Addresses that a port may send from besides its own, and the MAC that goes with them."""

    prefix: Prefix
    mac: Mac


class LocalIp(NamedTuple):
    """A virtual IPv4 address that a port has for the machines of its host."""

    address: Address
    fixed: Address  # the port's own, to which it is translated
    passthrough: bool = False  # it is not translated: the machine has it itself


class Port(NamedTuple):
    """A port bound to this host, in full."""

    id: str
    network_id: str
    mac: Mac
    fixed_ips: tuple[FixedIp, ...]
    admin_state_up: bool
    port_security: bool
    name: str  # the machine's host name, if it was given one: else it is made of its address
    device_id: str
    security_groups: tuple[str, ...] = ()
    filtered: bool = False  # its groups decide what passes; without any only DHCP, ARP and ND do
    address_pairs: tuple[AddressPair, ...] = ()
    dhcp_options: tuple[DhcpOption, ...] = ()  # besides what its network and subnets say
    project_id: str = ""
    parent_id: str = ""  # of a trunk's sub-port: the port whose interface it is heard on
    vlan: int = 0  # of a sub-port: the tag of its frames there
    qos_policy_id: str = ""  # its own, before its network's
    own_qos_only: bool = False  # its network's policy is not for it
    waits: bool = False  # its machine is elsewhere: it is moved here, or has gone from here
    local_ips: tuple[LocalIp, ...] = ()  # by address


class Network(NamedTuple):
    """A network: its VNI, what its packets may weigh, its domain name.

    With a physical network its packets leave hosts by their uplink there, in no tunnel; the VNI is
    then only its number, and what it is called when a host hands a packet to the one with uplink.
    """

    id: str
    vni: int
    mtu: int  # bytes
    admin_state_up: bool
    dns_domain: str  # the tenant's; names of its ports are answered in it as well
    physical_network: str = ""
    vlan: int = 0  # on the physical network; 0: untagged
    zone: str = ""  # the region's domain, in which every machine has a name
    qos_policy_id: str = ""  # of its ports that have none of their own
    lazy: bool = False  # it has many ports: hosts look for neighbours when somebody wants them


class Route(NamedTuple):
    """A route told to machines."""

    destination: Prefix
    nexthop: Address


class Ipv6Mode(IntEnum):
    """How machines get IPv6 addresses and the rest, in Neutron's words."""

    NONE = 0
    SLAAC = 1  # addresses and name servers by router advertisement
    STATEFUL = 2  # all by DHCPv6
    STATELESS = 3  # addresses by advertisement, the rest by DHCPv6


class Subnet(NamedTuple):
    """A subnet, and what DHCP tells its machines."""

    id: str
    network_id: str
    prefix: Prefix
    gateway: Address | None
    dhcp: bool
    dns_nameservers: tuple[Address, ...]
    host_routes: tuple[Route, ...]
    ra_mode: Ipv6Mode = Ipv6Mode.NONE  # what hosts advertise; none: nothing, it is another's to do
    address_mode: Ipv6Mode = Ipv6Mode.NONE  # what hosts answer by DHCPv6
    address_scope: str = ""  # routers lead from one scope to another by translation only


class Neighbour(NamedTuple):
    """A bound port as the other hosts of its network see it."""

    port_id: str
    network_id: str
    mac: Mac
    addresses: tuple[Address, ...]
    host: str
    tunnel_endpoint: Address
    pairs: tuple[AddressPair, ...] = ()  # what else it may have, as others may, too
    also: tuple[Address, ...] = ()  # where copies of its packets go, while its machine is moved


class Found(NamedTuple):
    """A neighbour that a host has looked for, in a network that is held lazily."""

    what: str  # its address, MAC or port's id, as text
    neighbour: Neighbour


class Presence(NamedTuple):
    """A host that has ports of a network that is held lazily."""

    network_id: str
    host: str
    tunnel_endpoint: Address


class Name(NamedTuple):
    """The name that a port was given, bound or not; relative to the domains it is answered in."""

    port_id: str
    network_id: str
    name: str
    domain: str  # the port's own, besides the region's and its network's; empty: none
    addresses: tuple[Address, ...]


class FoundName(NamedTuple):
    """A name that a host has looked for, by itself or by its address, in such a network."""

    what: str
    name: Name


class Group(NamedTuple):
    """A security group; its rules are entries of their own."""

    id: str
    stateful: bool  # replies pass by connection tracking


class Rule(NamedTuple):
    """What a security group lets pass; of the three remotes at most one is given."""

    id: str
    group_id: str
    ingress: bool  # towards the port; else egress
    version: int  # 4 or 6
    protocol: int | None = None  # IP protocol number; None: any
    ports: tuple[int, int] | None = None  # of destination, both ends included; None: any
    icmp_type: int | None = None
    icmp_code: int | None = None
    remote: Prefix | None = None
    remote_group_id: str = ""
    remote_addresses_id: str = ""


class Member(NamedTuple):
    """A port of a security group as a remote sees it: its addresses."""

    group_id: str
    port_id: str
    prefixes: tuple[Prefix, ...]


class SubnetAcl(NamedTuple):
    """Which ACL filters what crosses the edge of a subnet."""

    network_id: str
    subnet_id: str
    acl_id: str


class AclRule(NamedTuple):
    """One rule of an ACL; of those that match, the lowest number decides, or else it is denied."""

    id: str
    acl_id: str
    number: int  # 1 to 32766
    ingress: bool  # into the subnet; else out of it
    allow: bool
    version: int  # 4 or 6
    peer: Prefix | None = None  # whom it comes from, or goes to; None: anybody
    protocol: int | None = None  # IP protocol number; None: any
    ports: tuple[int, int] | None = None  # of destination, both ends included; None: any
    icmp_type: int | None = None
    icmp_code: int | None = None


class Addresses(NamedTuple):
    """An address group: prefixes of both families."""

    id: str
    prefixes: tuple[Prefix, ...]


class Helper(NamedTuple):
    """What names further connections inside of its packets: a switch reads it as it translates."""

    protocol: int  # IP protocol number
    port: int  # that it is spoken to
    name: str  # ftp or tftp


class Router(NamedTuple):
    """A router, the same on every host; where it meets networks are entries of their own."""

    id: str
    admin_state_up: bool
    routes: tuple[Route, ...]  # beside those to the subnets of its interfaces
    snat: bool = True  # IPv4 leaves by its gateway from the gateway's address
    project_id: str = ""
    qos_policy_id: str = ""  # of what leaves and comes under that address
    ndp_proxy: bool = False  # it answers outside for its NDP proxies
    # Of several gateways, in order: their networks, or of those to one network their ports.
    exits: tuple[str, ...] = ()
    untranslated: tuple[str, ...] = ()  # those of further ones whose packets leave as they are
    ecmp: bool = False  # what no route leads to leaves by all gateways, else by the first
    helpers: tuple[Helper, ...] = ()
    # Whose hosts it leaves by while one of them has an uplink.
    availability_zones: tuple[str, ...] = ()
    bfd: bool = False  # the next hops of its gateways are watched; which is down gets no share


class RouterInterface(NamedTuple):
    """Where a router meets a network: its MAC and addresses there, the same on every host."""

    port_id: str
    router_id: str
    network_id: str
    mac: Mac
    fixed_ips: tuple[FixedIp, ...]
    admin_state_up: bool = True


class NextHop(IntEnum):
    """What was heard by BFD of a gateway's next hop."""

    UNKNOWN = 0  # it has not spoken yet, or nobody listens
    UP = 1
    DOWN = 2  # it spoke, and does no more


class Gateway(NamedTuple):
    """Where a router meets an external network; its packets leave by one host with uplink there."""

    port_id: str
    router_id: str
    network_id: str
    mac: Mac
    fixed_ips: tuple[FixedIp, ...]
    next_hop: NextHop = NextHop.UNKNOWN


class FloatingIp(NamedTuple):
    """An external address that is a port's fixed address behind a router."""

    id: str
    router_id: str
    network_id: str  # the external one
    mac: Mac
    address: Address
    port_id: str  # empty: only its port forwardings use it
    fixed: Address | None  # with a port only
    name: str = ""  # whole, without the last dot: machines behind its router can ask for it
    qos_policy_id: str = ""


class NdpProxy(NamedTuple):
    """An IPv6 address behind a router that the router answers for outside, if it may."""

    id: str
    router_id: str
    address: Address


class Forwarding(NamedTuple):
    """Ports of a floating IP's address that are ports of an address behind the router.

    Both ranges include their ends and are of one length, or the inner one is a single port.
    """

    id: str
    floating_ip_id: str
    protocol: int  # TCP, UDP or SCTP
    outer: tuple[int, int]
    address: Address
    inner: tuple[int, int]


class MeteringRule(NamedTuple):
    """What a label counts at the gateways of routers, or (excluded) does not; an end or both."""

    id: str
    label_id: str
    owner: str  # the project whose routers it is about; `slices.EVERYBODY`: all routers
    ingress: bool  # from outside; else towards it
    excluded: bool
    source: Prefix | None
    destination: Prefix | None


class PortLog(NamedTuple):
    """What is written down of what security groups decide about a port of this host."""

    id: str
    host: str
    port_id: str
    group_id: str = ""  # only what this group of its decides
    accepted: bool = False
    dropped: bool = False


class GroupLog(NamedTuple):
    """What is written down of what a security group decides about its ports."""

    id: str
    group_id: str
    accepted: bool = False
    dropped: bool = False


class AclLog(NamedTuple):
    """What is written down of what a network ACL decides."""

    id: str
    acl_id: str
    accepted: bool = False
    dropped: bool = False


class Mirror(NamedTuple):
    """Copies of what passes a port of this host go to an address on the underlay.

    `ingress` and `egress` are the tunnel ids of what goes to the machine and of what it sends.
    """

    id: str
    host: str
    port_id: str
    remote: Address
    erspan: bool = False  # else GRE
    ingress: int | None = None
    egress: int | None = None


class Tap(NamedTuple):
    """A port of this host gets the copies that other hosts send under a number (of 24 bits)."""

    id: str
    host: str
    port_id: str
    number: int


class TapFlow(NamedTuple):
    """Copies of what passes a port of this host go to a port of the cloud.

    If that is here they are handed to it; to the other hosts among `endpoints` they are sent under
    its number.
    """

    id: str
    host: str
    port_id: str
    tap_port_id: str
    number: int
    endpoints: tuple[Address, ...]
    ingress: bool  # of what goes to the machine
    egress: bool  # of what it sends


class UplinkNode(NamedTuple):
    """A living host with an uplink to a physical network."""

    physical_network: str
    host: str
    tunnel_endpoint: Address
    availability_zone: str = ""


class WayOut(NamedTuple):
    """A router's packets leave by this host, or will when the one they leave by has gone."""

    host: str
    router_id: str


class Attachment(NamedTuple):
    """What a network says of a router interface: which router is met there."""

    port_id: str  # of the interface
    network_id: str
    router_id: str


class Limit(NamedTuple):
    """The most of what a port sends or (`ingress`) receives."""

    ingress: bool
    per_packet: bool  # of packets a second; otherwise of kbit a second
    rate: int
    burst: int  # packets, or kbit


class QosPolicy(NamedTuple):
    """What each port that has it may send and receive, and how what it sends is marked."""

    id: str
    limits: tuple[Limit, ...] = ()
    dscp: int | None = None  # 6 bits
    minimum: int = 0  # kbit/s that what it sends is guaranteed


GoalEntry = (
    Port
    | Network
    | Subnet
    | Neighbour
    | Found
    | FoundName
    | Presence
    | Name
    | Group
    | Rule
    | Member
    | Addresses
    | Router
    | RouterInterface
    | Attachment
    | Gateway
    | FloatingIp
    | NdpProxy
    | Forwarding
    | UplinkNode
    | WayOut
    | MeteringRule
    | PortLog
    | GroupLog
    | AclLog
    | Mirror
    | Tap
    | TapFlow
    | SubnetAcl
    | AclRule
    | QosPolicy
)
