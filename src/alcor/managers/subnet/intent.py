"""What the intent log and the IP manager are told of a subnet. Pure."""

from alcor.contracts.peers import Pool
from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import SubnetRecord
from alcor.managers.subnet.model import Subnet
from alcor.values.addresses import address


def record(subnet: Subnet) -> SubnetRecord:
    """The record of a subnet."""
    return SubnetRecord(
        id=subnet.id,
        network_id=subnet.network_id,
        project_id=subnet.project_id,
        name=subnet.name,
        ip_version=subnet.ip_version,
        cidr=subnet.cidr,
        gateway_ip=subnet.gateway_ip,
        enable_dhcp=subnet.enable_dhcp,
        allocation_pools=subnet.allocation_pools,
        dns_nameservers=subnet.dns_nameservers,
        host_routes=subnet.host_routes,
        ipv6_ra_mode=subnet.ipv6_ra_mode,
        ipv6_address_mode=subnet.ipv6_address_mode,
        service_types=subnet.service_types,
        subnetpool_id=subnet.subnetpool_id or "",
        dns_publish_fixed_ip=subnet.dns_publish_fixed_ip,
        segment_id=subnet.segment_id or "",
        physical_network=subnet.physical_network or "",
    )


def told(subnet: Subnet) -> Told:
    """That the subnet is so."""
    return Told(records.key("subnet", subnet.id), records.encode(record(subnet)))


def told_gone(id_: str) -> Told:
    """That the subnet is gone."""
    return Told(records.key("subnet", id_), None)


def pool(subnet: Subnet, *also_reserved: str | None) -> Pool:
    """What may be leased of a subnet; a gateway outside it needs no keeping."""
    gateways = {subnet.gateway_ip, *also_reserved}
    kept = {g for g in gateways if g is not None and subnet.prefix.covers(address(g))}
    return Pool(
        subnet_id=subnet.id,
        network_id=subnet.network_id,
        cidr=subnet.cidr,
        ranges=subnet.allocation_pools,
        reserved=tuple(sorted(kept)),
    )
