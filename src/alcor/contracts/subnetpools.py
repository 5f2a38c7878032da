"""What the subnet manager asks of the subnet pool manager: prefixes, kept for a subnet's id.

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


class SubnetPoolPeer(Protocol):
    """The subnet pool manager."""

    async def allocate(self, request: PrefixRequest) -> PrefixGrants:
        """All, or none and a refusal. A subnet that has a prefix already gets the same again."""
        ...

    async def release(self, request: Ids) -> Done:
        """Give back what these subnets have; one that has nothing is no error."""
        ...
