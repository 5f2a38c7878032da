"""The records of networks, subnets and what both are cut from: a part of `records.py`."""

import msgspec

from alcor.intent.record import Record


class HostRoute(msgspec.Struct, frozen=True):
    """A route that DHCP gives to machines: CIDR and next hop, as text."""

    destination: str
    nexthop: str


class AddressRange(msgspec.Struct, frozen=True):
    """An allocation pool: first and last address, as text, both included."""

    start: str
    end: str


class NetworkRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A network (the VPC of a tenant): one broadcast domain with its own VNI."""

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


class SegmentRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A further segment of a network: a broadcast domain of its own, as hosts see it.

    The first segment of a network is the network.
    """

    network_id: str  # that clients know
    network: NetworkRecord  # as the hosts of the segment are to know it, under the segment's id


class SubnetRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A subnet: the addresses of a network, and what DHCP tells its machines."""

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
    segment_id: str = ""  # the segment of the network that has it; empty: the network as a whole
    physical_network: str = ""  # of that segment: only hosts on it have ports there


class AddressScopeRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A scope in which no two subnet pools have an address in common."""

    project_id: str
    name: str = ""
    ip_version: int  # 4 or 6


class SubnetPoolRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Prefixes that subnets are cut from."""

    project_id: str
    name: str = ""
    ip_version: int  # 4 or 6
    prefixes: tuple[str, ...]
    address_scope_id: str = ""


class SegmentRangeRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Segmentation ids that are kept for a project's networks, or are everybody's."""

    project_id: str = ""  # empty: everybody's
    network_type: str
    physical_network: str = ""
    minimum: int
    maximum: int
