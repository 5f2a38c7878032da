"""A subnet, and what DHCP tells its machines."""

from alcor.goal_state.entries import Route, Subnet
from alcor.goal_state.slices import subnet_key
from alcor.intent.records import SubnetRecord
from alcor.values.addresses import address, prefix


def plan(subnet: SubnetRecord) -> tuple[str, Subnet]:
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
    )
