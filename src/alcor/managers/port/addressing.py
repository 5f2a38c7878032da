"""Which addresses a port wants: from `fixed_ips` to what the IP manager is asked. Pure.

Absent: one address of the network's first IPv4 subnet with room and one of its first IPv6 subnet
with room, as Neutron does. An empty list: none. Otherwise each item names a subnet, an address,
or both.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from alcor.contracts.peers import Wanted
from alcor.intent.records import SubnetRecord
from alcor.values.addresses import Address, Prefix, address, prefix
from alcor.values.errors import InvalidInput, Refusal


class InvalidIpForNetwork(Refusal):
    """The address is on no subnet of the network."""


class InvalidIpForSubnet(Refusal):
    """The address is not one of the named subnet's."""


class SubnetView(NamedTuple):
    """As much of a subnet as choosing needs."""

    id: str
    network_id: str
    prefix: Prefix


class Subnets(NamedTuple):
    """The subnets of one network, in order of age, and their ids by IP version (4 first)."""

    views: tuple[SubnetView, ...] = ()
    families: tuple[tuple[str, ...], ...] = ()


class Wish(NamedTuple):
    """One item of `fixed_ips`: at least one of the two is given."""

    subnet_id: str
    address: Address | None


def view(record: SubnetRecord) -> SubnetView:
    """Of a subnet's record."""
    return SubnetView(record.id, record.network_id, prefix(record.cidr))


def subnets(views: Iterable[SubnetView]) -> Subnets:
    """Of a network's; ids made by us sort by age."""
    ordered = tuple(sorted(views))
    each = [tuple(s.id for s in ordered if s.prefix.version == version) for version in (4, 6)]
    return Subnets(ordered, tuple(ids for ids in each if ids))


def wishes(fixed_ips: Sequence[Mapping[str, Any]] | None, count_max: int) -> list[Wish] | None:
    """The items of a checked `fixed_ips`; None when it is absent. `InvalidInput` otherwise."""
    if fixed_ips is None:
        return None
    if len(fixed_ips) > count_max:
        raise _invalid("Exceeded maximum amount of fixed ips per port.")
    found = [_wish(item) for item in fixed_ips]
    for i, wish in enumerate(found):
        if wish.address is not None and any(wish.address == w.address for w in found[:i]):
            raise _invalid(f"Duplicate IP address '{wish.address}'.")
    return found


def _wish(item: Mapping[str, Any]) -> Wish:
    text = item.get("ip_address")
    wish = Wish(item.get("subnet_id") or "", address(text) if text else None)
    if not wish.subnet_id and wish.address is None:
        raise _invalid("IP allocation requires subnet_id or ip_address.")
    return wish


def wanted(
    owner: str, network_id: str, wishes: Sequence[Wish] | None, subnets: Subnets
) -> list[Wanted]:
    """What to ask the IP manager for, in order.

    A `Refusal` when a wish can't be had on these subnets.
    """
    if wishes is not None:
        return [_named(owner, network_id, wish, subnets) for wish in wishes]
    return [Wanted(owner=owner, subnet_ids=ids) for ids in subnets.families]


def _named(owner: str, network_id: str, wish: Wish, subnets: Subnets) -> Wanted:
    subnet = _subnet_of(network_id, wish, subnets)
    if wish.address is None:
        return Wanted(owner=owner, subnet_ids=(subnet.id,))
    if not subnet.prefix.covers(wish.address):
        raise InvalidIpForSubnet(
            f"IP address {wish.address} is not a valid IP for the specified subnet."
        )
    return Wanted(owner=owner, subnet_ids=(subnet.id,), address=str(wish.address))


def _subnet_of(network_id: str, wish: Wish, subnets: Subnets) -> SubnetView:
    for subnet in subnets.views:
        if wish.subnet_id == subnet.id:
            return subnet
        if not wish.subnet_id and wish.address is not None and subnet.prefix.covers(wish.address):
            return subnet
    if wish.subnet_id:
        raise _invalid(
            f"Failed to create port on network {network_id}, "
            f"because fixed_ips included invalid subnet {wish.subnet_id}."
        )
    raise InvalidIpForNetwork(
        f"IP address {wish.address} is not a valid IP for any of the subnets "
        "on the specified network."
    )


def _invalid(message: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {message}")
