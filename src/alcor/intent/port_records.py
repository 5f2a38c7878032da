"""The records of ports: a part of `records.py`."""

import msgspec

from alcor.intent.record import Record


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


class PortRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A port: the place where one machine's interface meets its network."""

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
    segment_id: str = ""  # the segment of the network that it is on; empty: the network's first
    waiting_hosts: tuple[str, ...] = ()  # to which its machine is moved, or from which it has come
    next_hop: str = ""  # of a router's gateway: up or down, as BFD says; empty: not known

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those that know the port: the one that it is bound to, then those that wait."""
        return (self.host, *self.waiting_hosts) if self.host else ()
