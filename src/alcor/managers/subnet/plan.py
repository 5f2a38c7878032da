"""Which addresses of a CIDR are the gateway's, the pools', and nobody's. Pure; numbers inside.

IPv4 keeps the network and the broadcast address from machines, IPv6 the subnet-router anycast
address (RFC 4291, 2.6.1); prefixes with one or two addresses (RFC 3021, RFC 6164) keep none.
"""

from collections.abc import Sequence
from itertools import pairwise

from alcor.values.addresses import Address, Prefix, prefix
from alcor.values.errors import Conflict, InvalidInput, Refusal

Range = tuple[int, int]  # first and last, both included

_REFUSED = (
    (prefix("224.0.0.0/4"), "multicast"),
    (prefix("ff00::/8"), "multicast"),
    (prefix("127.0.0.0/8"), "loopback"),
    (prefix("::1/128"), "loopback"),
)


class InvalidAllocationPool(Refusal):
    """A pool that is no range of addresses of its subnet's family."""


class OutOfBoundsAllocationPool(Refusal):
    """A pool that has addresses which its subnet has not."""


class OverlappingAllocationPools(Conflict):
    """Two pools share an address."""


class GatewayConflictWithAllocationPools(Conflict):
    """The gateway's address would be given to machines."""


def check_cidr(whole: Prefix) -> None:
    """Refuse what can't be a subnet: everything, multicast, loopback."""
    if whole.length == 0:
        raise InvalidInput("Invalid input for operation: 0 is not allowed as CIDR prefix length.")
    for refused, what in _REFUSED:
        if whole.overlaps(refused):
            raise InvalidInput(
                f"Invalid input for operation: {what} IP subnet is not supported: {whole}."
            )


def usable(whole: Prefix) -> Range:
    """The first and the last address that a machine may have."""
    if whole.length >= whole.width - 1:
        return whole.first, whole.last
    return whole.first + 1, whole.last - (1 if whole.version == 4 else 0)


def checked_gateway(
    whole: Prefix, gateway: Address | None, pools: Sequence[tuple[Address, Address]] | None
) -> Address | None:
    """The gateway, which must be in no pool that was asked for.

    It may be outside the subnet, on its link: there is no telling who has an address there.
    """
    if gateway is None:
        return None
    if not _may_have(whole, gateway):
        raise InvalidInput(f"Invalid input for operation: Gateway is not valid on subnet {whole}.")
    for start, end in pools or ():
        if start.version == gateway.version and start.number <= gateway.number <= end.number:
            raise GatewayConflictWithAllocationPools(
                f"Gateway ip {gateway} conflicts with allocation pool {start}-{end}."
            )
    return gateway


def _may_have(whole: Prefix, gateway: Address) -> bool:
    if gateway.version != whole.version or any(each.covers(gateway) for each, _ in _REFUSED):
        return False
    if not whole.covers(gateway):
        return gateway.number != 0
    first, last = usable(whole)
    if whole.version == 6:  # a router may have the address that any router of a subnet answers to
        first = whole.first
    return first <= gateway.number <= last


def checked_pools(
    whole: Prefix, gateway: Address | None, pools: Sequence[tuple[Address, Address]] | None
) -> list[Range]:
    """The pools asked for, as ranges in order; without a word, all that the gateway leaves."""
    first, last = usable(whole)
    if pools is None:
        return _around(first, last, gateway if gateway and whole.covers(gateway) else None)
    ranges: list[Range] = []
    for start, end in pools:
        text = f"{start}-{end}"
        if {start.version, end.version} != {whole.version} or start.number > end.number:
            raise InvalidAllocationPool(f"The allocation pool {text} is not valid.")
        if start.number < first or end.number > last:
            raise OutOfBoundsAllocationPool(
                f"The allocation pool {text} spans beyond the subnet cidr {whole}."
            )
        ranges.append((start.number, end.number))
    ranges.sort()
    for (_, before), (after, _) in pairwise(ranges):
        if after <= before:
            raise OverlappingAllocationPools(
                f"Found overlapping allocation pools for subnet {whole}."
            )
    return ranges


def _around(first: int, last: int, gateway: Address | None) -> list[Range]:
    if gateway is None:
        return [(first, last)]
    parts = [(first, gateway.number - 1), (gateway.number + 1, last)]
    return [(low, high) for low, high in parts if low <= high]
