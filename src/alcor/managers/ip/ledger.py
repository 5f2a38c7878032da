"""Lease groups of addresses: each group whole or not at all, whatever became of the others.

Pure: the shell reads what a request names (spaces and what the owners hold), asks the ledger, and
saves what it decided. What an owner holds already of what it wants it gets again, so a repeat
after a lost answer leases nothing twice.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from alcor.contracts.peers import Lease, LeaseGroup, LeaseRefusal, Wanted
from alcor.managers.ip.model import InvalidIpForSubnet, IpAddressGenerationFailure, Space
from alcor.values.addresses import Address, address
from alcor.values.errors import InvalidInput, NotFound, Refusal
from alcor.values.missing import SubnetNotFound


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
        found: list[list[Held]] = [[] for _ in wanted]
        matched: set[Held] = set()
        for named in (True, False):
            for i, wish in enumerate(wanted):
                if bool(wish.address) is named:
                    found[i] = self._all_of(wish, matched, new)
        return [lease for leases in found for lease in leases]

    def _all_of(self, wish: Wanted, matched: set[Held], new: list[Held]) -> list[Held]:
        """A lease for each of the owners, in order: one that it holds already, or a new one."""
        again = [self._again(wish, owner, matched) for owner in wish.owners]
        lacking = [o for o, held in zip(wish.owners, again, strict=True) if held is None]
        start = len(new)
        if lacking:
            self._lease_new(wish, lacking, new)
        leased = iter(new[start:])
        return [held or next(leased) for held in again]

    def _again(self, wish: Wanted, owner: str, matched: set[Held]) -> Held | None:
        """What the owner holds already and fits the wish."""
        named = _parsed(wish.address) if wish.address else None
        for lease in self._held_by_owner.get(owner, ()):
            fits = named is None or lease.address == named
            if fits and lease.subnet_id in wish.subnet_ids and lease not in matched:
                self.repeated.append(lease)
                matched.add(lease)
                return lease
        return None

    def _lease_new(self, wish: Wanted, owners: Sequence[str], new: list[Held]) -> None:
        """A new lease for each of these owners, added to `new` in order."""
        spaces = [self._spaces[s] for s in wish.subnet_ids if s in self._spaces]
        if not spaces:
            raise SubnetNotFound(wish.subnet_ids[0])
        if wish.address:
            (owner,) = owners
            new.append(_named(wish, owner, spaces))
        else:
            _choose(owners, spaces, new)


def _named(wish: Wanted, owner: str, spaces: list[Space]) -> Held:
    parsed = _parsed(wish.address)
    space = next((s for s in spaces if s.pool.prefix.covers(parsed)), None)
    if space is None:
        raise InvalidIpForSubnet(f"IP address {parsed} is not a valid IP for the specified subnet.")
    space.take(parsed.number)
    return Held(owner, space.pool.subnet_id, parsed)


def _choose(owners: Sequence[str], spaces: list[Space], new: list[Held]) -> None:
    for space in spaces:
        subnet_id, version = space.pool.subnet_id, space.pool.prefix.version
        while owners and (run := space.take_run(len(owners))):
            new += [
                Held(owner, subnet_id, Address(version, number))
                for owner, number in zip(owners, run, strict=False)
            ]
            owners = owners[len(run) :]
    if owners:
        raise IpAddressGenerationFailure(
            f"No more IP addresses available on network {spaces[0].pool.network_id}."
        )


def _parsed(text: str) -> Address:
    try:
        return address(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
