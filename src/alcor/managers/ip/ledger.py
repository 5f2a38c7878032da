"""Lease groups of addresses: each group whole or not at all, whatever became of the others.

Pure: the shell reads what a request names (spaces and what the owners hold), asks the ledger, and
saves what it decided. What an owner holds already of what it wants it gets again, so a repeat
after a lost answer leases nothing twice.
"""

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from alcor.contracts.peers import Lease, LeaseGroup, LeaseRefusal, Wanted
from alcor.managers.ip.model import InvalidIpForSubnet, IpAddressGenerationFailure, Space
from alcor.values.addresses import Address, address
from alcor.values.errors import InvalidInput, NotFound, Refusal


class SubnetNotFound(NotFound):
    """There is nothing to lease from: the subnet is gone, or was never there."""


class SubnetsChanged(NotFound):
    """The network has other subnets than the caller knew of: look again."""


class Held(NamedTuple):
    """A lease: an address of a subnet and who holds it."""

    owner: str
    subnet_id: str
    address: Address


class Ledger:
    """What is leased of the subnets of one request, and what deciding it changed."""

    def __init__(
        self,
        space_by_subnet: Mapping[str, Space],
        held: Iterable[Held],
        subnets_by_network: Mapping[str, Set[str]],
    ) -> None:
        self.leased: list[Held] = []  # new ones
        self.repeated: list[Held] = []  # that the owner held already
        self._spaces = space_by_subnet
        self._subnets_by_network = subnets_by_network
        self._held_by_owner: dict[str, list[Held]] = {}
        for lease in held:
            self._held_by_owner.setdefault(lease.owner, []).append(lease)

    def lease(self, group: LeaseGroup) -> list[Lease] | LeaseRefusal:
        """Lease all that the group wants, in its order; or nothing, and why."""
        new: list[Held] = []
        try:
            self._check_known(group)
            found = self._decide(group.wanted, new)
        except Refusal as refusal:
            for lease in new:
                self._spaces[lease.subnet_id].give_back(lease.address.number)
            return LeaseRefusal(refusal.type, refusal.kind, refusal.message)
        for lease in new:
            self._held_by_owner.setdefault(lease.owner, []).append(lease)
        self.leased += new
        return [Lease(lease.owner, lease.subnet_id, str(lease.address)) for lease in found]

    def _check_known(self, group: LeaseGroup) -> None:
        for network_id, known in group.known.items():
            if self._subnets_by_network.get(network_id, frozenset()) - set(known):
                raise SubnetsChanged(f"Network {network_id} has other subnets than those known.")

    def _decide(self, wanted: list[Wanted], new: list[Held]) -> list[Held]:
        """Named addresses first, lest one be chosen for another wish of the group."""
        found: list[Held | None] = [None] * len(wanted)
        matched: set[Held] = set()
        for named in (True, False):
            for i, wish in enumerate(wanted):
                if bool(wish.address) is named:
                    found[i] = lease = self._again(wish, matched) or self._new(wish, new)
                    matched.add(lease)
        return [lease for lease in found if lease is not None]

    def _again(self, wish: Wanted, matched: set[Held]) -> Held | None:
        """What the owner holds already and fits the wish."""
        named = _parsed(wish.address) if wish.address else None
        for lease in self._held_by_owner.get(wish.owner, ()):
            fits = named is None or lease.address == named
            if fits and lease.subnet_id in wish.subnet_ids and lease not in matched:
                self.repeated.append(lease)
                return lease
        return None

    def _new(self, wish: Wanted, new: list[Held]) -> Held:
        spaces = [self._spaces[s] for s in wish.subnet_ids if s in self._spaces]
        if not spaces:
            raise SubnetNotFound(f"Subnet {wish.subnet_ids[0]} could not be found.")
        lease = _named(wish, spaces) if wish.address else _chosen(wish, spaces)
        new.append(lease)
        return lease


def _named(wish: Wanted, spaces: list[Space]) -> Held:
    parsed = _parsed(wish.address)
    space = next((s for s in spaces if s.pool.prefix.covers(parsed)), None)
    if space is None:
        raise InvalidIpForSubnet(f"IP address {parsed} is not a valid IP for the specified subnet.")
    space.take(parsed.number)
    return Held(wish.owner, space.pool.subnet_id, parsed)


def _chosen(wish: Wanted, spaces: list[Space]) -> Held:
    for space in spaces:
        number = space.take_next()
        if number is not None:
            chosen = Address(space.pool.prefix.version, number)
            return Held(wish.owner, space.pool.subnet_id, chosen)
    raise IpAddressGenerationFailure(
        f"No more IP addresses available on network {spaces[0].pool.network_id}."
    )


def _parsed(text: str) -> Address:
    try:
        return address(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
