"""Which addresses a port wants: from `fixed_ips` to what the IP manager is asked. Pure.

Absent: one address of the network's first IPv4 subnet with room and one of its first IPv6 subnet
with room, as Neutron does. An empty list: none. Otherwise each item names a subnet, an address,
or both.
"""

from collections.abc import Mapping, Sequence
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


class Wish(NamedTuple):
    """One item of `fixed_ips`: at least one of the two is given."""

    subnet_id: str
    address: Address | None


def view(record: SubnetRecord) -> SubnetView:
    """Of a subnet's record."""
    return SubnetView(record.id, record.network_id, prefix(record.cidr))


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
    owner: str, network_id: str, wishes: Sequence[Wish] | None, subnets: Sequence[SubnetView]
) -> list[Wanted]:
    """What to ask the IP manager for, in order; `subnets` are the network's, in order of age.

    A `Refusal` when a wish can't be had on these subnets.
    """
    if wishes is not None:
        return [_named(owner, network_id, wish, subnets) for wish in wishes]
    families = [tuple(s.id for s in subnets if s.prefix.version == version) for version in (4, 6)]
    return [Wanted(owner=owner, subnet_ids=ids) for ids in families if ids]


def _named(owner: str, network_id: str, wish: Wish, subnets: Sequence[SubnetView]) -> Wanted:
    subnet = _subnet_of(network_id, wish, subnets)
    if wish.address is None:
        return Wanted(owner=owner, subnet_ids=(subnet.id,))
    if not subnet.prefix.covers(wish.address):
        raise InvalidIpForSubnet(
            f"IP address {wish.address} is not a valid IP for the specified subnet."
        )
    return Wanted(owner=owner, subnet_ids=(subnet.id,), address=str(wish.address))


def _subnet_of(network_id: str, wish: Wish, subnets: Sequence[SubnetView]) -> SubnetView:
    for subnet in subnets:
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
