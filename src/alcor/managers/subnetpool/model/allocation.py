"""Cut a prefix out of a pool. Pure; the smallest free piece that is large enough is cut."""

from collections.abc import Sequence
from typing import NamedTuple

from alcor.contracts.subnetpools import PrefixWish
from alcor.managers.subnetpool.model import prefixes as sets
from alcor.managers.subnetpool.model.pool import SubnetPool
from alcor.managers.subnetpool.model.refusals import (
    MaxPrefixSubnetAllocationError,
    MinPrefixSubnetAllocationError,
    SubnetAllocationError,
    SubnetPoolQuotaExceeded,
)
from alcor.values.addresses import Prefix, prefix
from alcor.values.errors import BadRequest

_UNIT = {4: 32, 6: 64}  # prefix length of what quotas are counted in


class Allocation(NamedTuple):
    """A prefix of a pool, and the subnet that has it."""

    subnet_id: str
    pool_id: str
    project_id: str  # the subnet's
    cidr: str

    @property
    def prefix(self) -> Prefix:
        return prefix(self.cidr)


def cut(pool: SubnetPool, wish: PrefixWish, held: Sequence[Allocation]) -> Allocation:
    """The prefix for a subnet, beside those that are `held`; a refusal when there is none."""
    if wish.ip_version != pool.ip_version:
        raise BadRequest(
            f"Bad subnets request: Cannot allocate IPv{wish.ip_version} subnet from "
            f"IPv{pool.ip_version} subnet pool."
        )
    named = prefix(wish.cidr) if wish.cidr else None
    length = named.length if named else wish.prefixlen
    length = int(pool.default_prefixlen) if length is None else length
    _check(pool, wish.project_id, length, held)
    pieces = sets.free(pool.parsed, [each.prefix for each in held])
    if named is not None:
        if not sets.within([named], list(pieces)):
            raise SubnetAllocationError(
                "Cannot allocate requested subnet from the available set of prefixes"
            )
        found: Prefix | None = named
    else:
        found = sets.smallest_fit(pieces, length)
    if found is None:
        raise SubnetAllocationError(f"Insufficient prefix space to allocate subnet size /{length}")
    return Allocation(wish.subnet_id, pool.id, wish.project_id, str(found))


def _check(pool: SubnetPool, project: str, length: int, held: Sequence[Allocation]) -> None:
    if length > int(pool.max_prefixlen):
        raise MaxPrefixSubnetAllocationError(length, int(pool.max_prefixlen))
    if length < int(pool.min_prefixlen):
        raise MinPrefixSubnetAllocationError(length, int(pool.min_prefixlen))
    if not pool.default_quota:
        return
    lengths = [length, *(each.prefix.length for each in held if each.project_id == project)]
    # A prefix longer than the unit counts as a part of one: compare in the smallest parts.
    width = 32 if pool.ip_version == 4 else 128
    used = sum(1 << (width - each) for each in lengths)
    if used > pool.default_quota << (width - _UNIT[pool.ip_version]):
        raise SubnetPoolQuotaExceeded
