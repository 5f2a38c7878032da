"""What the subnet manager asks of the subnet pool manager: prefixes, kept for a subnet's id.

And the other way: to bring a network's subnets into a pool.

A prefix is allocated before its subnet is saved, under the id that the subnet will have; whoever
finds that there is no such subnet gives it back.
"""

from typing import Protocol

import msgspec

from alcor.contracts.peers import Done, Ids


class PrefixWish(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix for a subnet: this one, or one of this length, or of the pool's usual length."""

    subnet_id: str
    project_id: str  # the subnet's
    pool_id: str = ""  # empty: the default pool of the family
    ip_version: int
    cidr: str = ""
    prefixlen: int | None = None


class PrefixRequest(msgspec.Struct, frozen=True):
    wishes: list[PrefixWish]
    viewer: str | None  # whose pools may be used, beside shared ones; None: anybody's


class PrefixGrant(msgspec.Struct, frozen=True):
    pool_id: str
    cidr: str


class PrefixGrants(msgspec.Struct, frozen=True):
    """In the order of the wishes."""

    grants: list[PrefixGrant]


class Adopted(msgspec.Struct, frozen=True):
    """A subnet that comes into a pool with the prefix that it has."""

    subnet_id: str
    project_id: str
    cidr: str


class AdoptRequest(msgspec.Struct, frozen=True):
    pool_id: str
    subnets: list[Adopted]  # of the pool's family, which have no address in common
    viewer: str | None  # whose pools may be changed; None: anybody's


class PoolOfSubnet(msgspec.Struct, frozen=True):
    """The pool that a subnet's prefix is of."""

    subnet_id: str
    pool_id: str


class PoolsOfSubnets(msgspec.Struct, frozen=True):
    holdings: list[PoolOfSubnet]


class OnboardRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Bring a network's subnets of a family into a pool."""

    network_id: str
    pool_id: str
    ip_version: int
    viewer: str | None  # whose networks and pools may be changed; None: anybody's
    trace: str


class Onboarded(msgspec.Struct, frozen=True):
    """The subnets that have come, and the revision that tells of them."""

    subnets: list[Adopted]
    revision: str


class OnboardPeer(Protocol):
    """The subnet manager, to the subnet pool manager."""

    async def onboard(self, request: OnboardRequest) -> Onboarded:
        """All, or none and a refusal."""
        ...


class PoolScopes(msgspec.Struct, frozen=True):
    """The address scopes of pools that are in one."""

    scope_by_pool: dict[str, str]


class SubnetPoolPeer(Protocol):
    """The subnet pool manager."""

    async def allocate(self, request: PrefixRequest) -> PrefixGrants:
        """All, or none and a refusal. A subnet that has a prefix already gets the same again."""
        ...

    async def release(self, request: Ids) -> Done:
        """Give back what these subnets have; one that has nothing is no error."""
        ...

    async def adopt(self, request: AdoptRequest) -> Done:
        """Make the prefixes of these subnets the pool's, and theirs in it: all, or none.

        Whatever other pool they were of has them no more.
        """
        ...

    async def holdings(self, request: Ids) -> PoolsOfSubnets:
        """The pools of these subnets; those that are of none are left out."""
        ...

    async def scopes(self, request: Ids) -> PoolScopes:
        """Of these pools."""
        ...
