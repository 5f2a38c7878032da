"""The records of routers and of what they translate: a part of `records.py`."""

import msgspec

from alcor.intent.network_records import HostRoute
from alcor.intent.port_records import FixedIp
from alcor.intent.record import Record


class RouterGateway(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a router meets an external network: by a port of device owner router_gateway."""

    network_id: str
    port_id: str
    enable_snat: bool = True
    fixed_ips: tuple[FixedIp, ...] = ()  # those of the port
    qos_policy_id: str = ""  # of what leaves and comes under the router's own address


class HelperRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a router's translations names further connections inside of its packets."""

    protocol: int  # IP protocol number
    port: int  # that it is spoken to
    helper: str  # how it is read: ftp or tftp


class RouterRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A router; its interfaces are the ports whose `device_id` it is.

    An interface's device owner is `network:router_interface` (or `_distributed`), a gateway's
    `network:router_gateway`.
    """

    project_id: str
    name: str = ""
    admin_state_up: bool = True
    routes: tuple[HostRoute, ...] = ()  # none twice
    gateway: RouterGateway | None = None
    ndp_proxy: bool = False  # whether it answers outside for its NDP proxies
    more_gateways: tuple[RouterGateway, ...] = ()  # beside `gateway`
    ecmp: bool = False  # whether what no route leads to leaves by all gateways
    helpers: tuple[HelperRecord, ...] = ()
    # Whose hosts its packets leave by while one of them has an uplink.
    availability_zones: tuple[str, ...] = ()
    bfd: bool = False  # whether the next hops of its gateways are watched

    @property
    def gateways(self) -> tuple[RouterGateway, ...]:
        """All of them, in order."""
        return (*([self.gateway] if self.gateway is not None else []), *self.more_gateways)


class NdpProxyRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An IPv6 address behind a router that the router answers for on its external network."""

    project_id: str
    router_id: str
    ip_address: str


class FloatingIpRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An address of an external network, given to a fixed address behind a router.

    Its own port (`floating_port_id`, with `mac_address`) holds the address. Without `port_id` it is
    given to nobody, or its port forwardings use it.
    """

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


class PortForwardingRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Some ports of a floating IP's address, given to ports of an internal address.

    Both ranges are inclusive and of one length, or the internal range is a single port.
    """

    floating_ip_id: str
    protocol: int  # IP protocol number: TCP, UDP, SCTP, ...
    external_ports: tuple[int, int]
    internal_port_id: str
    internal_ip: str
    internal_ports: tuple[int, int]
