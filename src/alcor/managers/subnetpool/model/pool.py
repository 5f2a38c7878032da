"""Subnet pools as clients see them, and what a body means. Pure.

Source: Neutron API reference v2, "Subnet pools"; neutron.ipam.subnet_alloc.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from alcor.managers.subnetpool.model import prefixes as sets
from alcor.managers.subnetpool.model.refusals import (
    AddressScopePrefixConflict,
    EmptySubnetPoolPrefixList,
    IllegalSubnetPoolIpVersionAssociationToAddressScope,
    IllegalSubnetPoolPrefixBounds,
    IllegalSubnetPoolPrefixUpdate,
    PrefixVersionMismatch,
)
from alcor.managers.subnetpool.model.scope import AddressScope
from alcor.resource.revisions import revised
from alcor.values.addresses import Prefix, prefix

_MIN_LENGTH = {4: 8, 6: 64}  # of a pool that does not say
_WIDTH = {4: 32, 6: 128}


class SubnetPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool. Its lengths are texts, as Neutron shows them."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    prefixes: tuple[str, ...]
    ip_version: int
    default_quota: int | None  # of one project: IPv4 addresses, or IPv6 /64s; None: no limit
    default_prefixlen: str
    min_prefixlen: str
    max_prefixlen: str
    is_default: bool
    shared: bool
    address_scope_id: str | None
    description: str
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str

    @property
    def parsed(self) -> list[Prefix]:
        return [prefix(text) for text in self.prefixes]


def pool(values: Mapping[str, Any], id_: str, now: str) -> SubnetPool:
    """The pool that a checked body asks for."""
    version, prefixes = _prefixes(values["prefixes"])
    low, high, default = _bounds(
        version,
        values.get("min_prefixlen"),
        values.get("max_prefixlen"),
        values.get("default_prefixlen"),
    )
    return SubnetPool(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        prefixes=prefixes,
        ip_version=version,
        default_quota=values.get("default_quota"),
        default_prefixlen=str(default),
        min_prefixlen=str(low),
        max_prefixlen=str(high),
        is_default=values["is_default"],
        shared=values["shared"],
        address_scope_id=values["address_scope_id"],
        description=values["description"],
        revision_number=1,
        created_at=now,
        updated_at=now,
    )


_LENGTHS = ("min_prefixlen", "max_prefixlen", "default_prefixlen")
_PLAIN = ("name", "default_quota", "is_default", "address_scope_id", "description")


def changed(old: SubnetPool, changes: Mapping[str, Any], now: str) -> SubnetPool:
    """The pool after a checked PUT; the very same value when nothing is different."""
    new = {name: changes[name] for name in _PLAIN if name in changes}
    if "tags" in changes:
        new["tags"] = tuple(changes["tags"])
    if "prefixes" in changes:
        new["prefixes"] = _grown(old, changes["prefixes"])
    if any(name in changes for name in _LENGTHS):
        lengths = [int(changes.get(name, getattr(old, name))) for name in _LENGTHS]
        bounds = _bounds(old.ip_version, *lengths)
        new |= {name: str(length) for name, length in zip(_LENGTHS, bounds, strict=True)}
    return revised(old, new, now)


def with_prefixes(old: SubnetPool, texts: Sequence[str], now: str) -> SubnetPool:
    """The pool with more prefixes."""
    return revised(old, {"prefixes": _grown(old, [*old.prefixes, *texts])}, now)


def without_prefixes(
    old: SubnetPool, texts: Sequence[str], allocated: Iterable[Prefix], now: str
) -> SubnetPool:
    """The pool without these prefixes, of which no subnet may have a part."""
    _, removed = _prefixes(texts)
    left = sets.without(old.parsed, map(prefix, removed))
    if not sets.within(allocated, left):
        raise IllegalSubnetPoolPrefixUpdate("One or more of the prefixes are in use by subnets")
    return revised(old, {"prefixes": tuple(map(str, left))}, now)


def check_scope(new: SubnetPool, scope: AddressScope, others: Iterable[SubnetPool]) -> None:
    """That the pool can be in a scope, beside the other pools of it."""
    if scope.ip_version != new.ip_version:
        raise IllegalSubnetPoolIpVersionAssociationToAddressScope(
            new.id, scope.id, scope.ip_version
        )
    mine = new.parsed
    for other in others:
        if other.id != new.id and any(a.overlaps(b) for a in mine for b in other.parsed):
            raise AddressScopePrefixConflict


def _grown(old: SubnetPool, texts: Sequence[str]) -> tuple[str, ...]:
    version, prefixes = _prefixes(texts)
    if version != old.ip_version:
        raise PrefixVersionMismatch
    if not sets.within(old.parsed, [prefix(text) for text in prefixes]):
        raise IllegalSubnetPoolPrefixUpdate(
            "Existing prefixes must be a subset of the new prefixes"
        )
    return prefixes


def _prefixes(texts: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """The family, and the prefixes put together."""
    parsed = [prefix(text) for text in texts]
    if not parsed:
        raise EmptySubnetPoolPrefixList
    if len({each.version for each in parsed}) > 1:
        raise PrefixVersionMismatch
    return parsed[0].version, tuple(map(str, sets.compact(parsed)))


def _bounds(
    version: int, low: int | None, high: int | None, default: int | None
) -> tuple[int, int, int]:
    """The shortest, the longest and the usual length of a subnet's prefix."""
    width = _WIDTH[version]
    low = _MIN_LENGTH[version] if low is None else low
    high = width if high is None else high
    default = low if default is None else default
    if low > high:
        raise IllegalSubnetPoolPrefixBounds("min_prefixlen", low, "max_prefixlen", high)
    if high > width:
        raise IllegalSubnetPoolPrefixBounds("max_prefixlen", high, "ip_version_max", width)
    if default < low:
        raise IllegalSubnetPoolPrefixBounds("default_prefixlen", default, "min_prefixlen", low)
    if default > high:
        raise IllegalSubnetPoolPrefixBounds("default_prefixlen", default, "max_prefixlen", high)
    return low, high, default
