"""A subnet, and what DHCP tells its machines."""

from alcor.goal_state.entries import Ipv6Mode, Route, Subnet
from alcor.goal_state.slices import subnet_key
from alcor.intent.records import SubnetRecord
from alcor.values.addresses import address, prefix

_MODE_BY_WORD = {
    None: Ipv6Mode.NONE,
    "slaac": Ipv6Mode.SLAAC,
    "dhcpv6-stateful": Ipv6Mode.STATEFUL,
    "dhcpv6-stateless": Ipv6Mode.STATELESS,
}


def plan(subnet: SubnetRecord, scope: str) -> tuple[str, Subnet]:
    """Its entry in its network's slice; `ValueError` when the record's text is no address."""
    return subnet_key(subnet.network_id, subnet.id), Subnet(
        id=subnet.id,
        network_id=subnet.network_id,
        prefix=prefix(subnet.cidr),
        gateway=address(subnet.gateway_ip) if subnet.gateway_ip else None,
        dhcp=subnet.enable_dhcp,
        dns_nameservers=tuple(map(address, subnet.dns_nameservers)),
        host_routes=tuple(
            Route(prefix(route.destination), address(route.nexthop)) for route in subnet.host_routes
        ),
        ra_mode=_mode(subnet.ipv6_ra_mode),
        address_mode=_mode(subnet.ipv6_address_mode),
        address_scope=scope,
    )


def _mode(word: str | None) -> Ipv6Mode:
    if word not in _MODE_BY_WORD:
        raise ValueError(f"'{word}' is no mode of IPv6")
    return _MODE_BY_WORD[word]
