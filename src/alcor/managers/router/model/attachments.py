"""Where a router is attached: the ports that it holds, and which of them may be together. Pure.

Source: neutron.db.l3_db (_check_for_dup_router_subnets, _validate_router_port_info).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from alcor.contracts.held_ports import AddressWish
from alcor.intent.records import PortRecord, SubnetRecord
from alcor.managers.router.model.gateway import GatewayInfo
from alcor.managers.router.model.refusals import BadRouterRequest
from alcor.values.addresses import Address, Prefix, address, prefix


class Place(NamedTuple):
    """The router's address on one subnet."""

    subnet_id: str
    cidr: str
    address: str

    @property
    def prefix(self) -> Prefix:
        return prefix(self.cidr)

    @property
    def parsed(self) -> Address:
        return address(self.address)


class Attachment(NamedTuple):
    """A port that a router holds, with its places: an interface, or the gateway."""

    port_id: str
    router_id: str
    network_id: str
    is_gateway: bool
    places: tuple[Place, ...]

    @property
    def subnet_ids(self) -> tuple[str, ...]:
        return tuple(place.subnet_id for place in self.places)


def attachment(
    router_id: str, port: PortRecord, subnets: Mapping[str, SubnetRecord], *, is_gateway: bool
) -> Attachment:
    """What a port makes of a router; subnets by id, those that are gone left out."""
    places = tuple(
        Place(ip.subnet_id, subnets[ip.subnet_id].cidr, ip.ip_address)
        for ip in port.fixed_ips
        if ip.subnet_id in subnets
    )
    return Attachment(port.id, router_id, port.network_id, is_gateway, places)


def gates_of(
    gateways: Sequence[GatewayInfo], attachments: Iterable[Attachment]
) -> list[Attachment | None]:
    """The port of each gateway, in order: that which has its addresses, else one that is left."""
    free = [each for each in attachments if each.is_gateway]
    found: list[Attachment | None] = [None] * len(gateways)
    for exactly in (True, False):
        for number, info in enumerate(gateways):
            own = {ip.ip_address for ip in info.external_fixed_ips}
            fitting = (
                each
                for each in free
                if each.network_id == info.network_id
                and (not exactly or {place.address for place in each.places} == own)
            )
            gate = next(fitting, None) if found[number] is None else None
            if gate is not None:
                found[number] = gate
                free.remove(gate)
    return found


def check_beside(new: Attachment, others: Sequence[Attachment]) -> None:
    """That a router with the others can have the new one too; `BadRouterRequest`."""
    versions = [place.prefix.version for place in new.places]
    if not new.is_gateway and versions.count(4) > 1:
        raise BadRouterRequest("Cannot have multiple IPv4 subnets on router port")
    if not new.is_gateway and 6 in versions:
        _check_one_v6_port(new, others)
    beside = [other for other in others if not _are_ways_to_one(new, other)]
    held = [place for other in beside for place in other.places]
    for place in new.places:
        _check_place(place, held)


def _are_ways_to_one(one: Attachment, other: Attachment) -> bool:
    """Whether both are gateways to one network, which may be on one subnet."""
    return one.is_gateway and other.is_gateway and one.network_id == other.network_id


def check_subnet(subnet: SubnetRecord, others: Iterable[Attachment]) -> None:
    """As `check_beside`, before there is a port."""
    held = [place for other in others for place in other.places]
    _check_place(Place(subnet.id, subnet.cidr, ""), held)


def check_advertised(subnet: SubnetRecord) -> None:
    """That a router of ours may advertise the subnet's prefix; `BadRouterRequest`."""
    if subnet.ipv6_address_mode is not None and subnet.ipv6_ra_mode is None:
        raise BadRouterRequest(
            f"IPv6 subnet {subnet.id} configured to receive RAs from an external router cannot be "
            "added to Neutron Router"
        )


def check_stranger(subnet: SubnetRecord, wanted: str, project: str | None) -> None:
    """That who only shares a subnet takes an address of its pools, not the gateway's, which all of
    its machines send to; `BadRouterRequest`. A project of None may have any."""
    if project in (None, subnet.project_id):
        return
    own = address(wanted).number
    pools = ((address(each.start), address(each.end)) for each in subnet.allocation_pools)
    if not any(first.number <= own <= last.number for first, last in pools):
        raise BadRouterRequest(
            f"Address {wanted} is not in the allocation pools of subnet {subnet.id}, which is not "
            "owned by the project making the request"
        )


def v6_port_on(network_id: str, others: Iterable[Attachment]) -> Attachment | None:
    """The interface that gets every IPv6 subnet of a network."""
    for other in others:
        versions = {place.prefix.version for place in other.places}
        if other.network_id == network_id and not other.is_gateway and 6 in versions:
            return other
    return None


def wishes_of(places: Iterable[Place]) -> tuple[AddressWish, ...]:
    """That a port shall keep these addresses."""
    return tuple(AddressWish(subnet_id=p.subnet_id, ip_address=p.address) for p in places)


def _check_place(new: Place, held: Iterable[Place]) -> None:
    for place in held:
        if place.subnet_id == new.subnet_id:
            raise BadRouterRequest(f"Router already has a port on subnet {new.subnet_id}")
        if place.prefix.overlaps(new.prefix):
            raise BadRouterRequest(
                f"Cidr {new.cidr} of subnet {new.subnet_id} overlaps with cidr {place.cidr} "
                f"of subnet {place.subnet_id}"
            )


def _check_one_v6_port(new: Attachment, others: Iterable[Attachment]) -> None:
    other = v6_port_on(new.network_id, others)
    if other is not None and other.port_id != new.port_id:
        raise BadRouterRequest(
            f"Router already contains IPv6 port {other.port_id} belonging to network id "
            f"{new.network_id}. Only one IPv6 port from the same network subnet can be connected "
            "to a router"
        )
