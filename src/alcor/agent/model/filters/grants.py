"""Grants: what the rules of security groups let pass, cut so that a switch can match it.

A grant is all that one group lets pass in one direction, of one family, from or to one remote. It
is a conjunction of port x service (x remote): each rule only adds services, each member only a
prefix, each port only itself, and nothing is ever multiplied.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from alcor.goal_state.entries import Rule
from alcor.ovs.ranges import masks_of_range
from alcor.values.addresses import Prefix
from alcor.values.protocols import ICMP, ICMPV6

_PORTS_ALL = (0, 0xFFFF)
_MATCHED_BY_PORT = (6, 17, 132)  # of these protocols the switch can see ports


class Remote(NamedTuple):
    """Whom a grant is about; of the three at most one is given, none means anybody."""

    prefix: Prefix | None = None
    group_id: str = ""
    addresses_id: str = ""

    def __str__(self) -> str:
        return f"{self.prefix or ''}:{self.group_id}:{self.addresses_id}"


ANYBODY = Remote()


class Service(NamedTuple):
    """One match on what a packet is for; a range of ports is several of them.

    Of the port only the bits of `mask` count. All absent: any packet.
    """

    protocol: int | None = None
    port: int = 0
    mask: int = 0
    icmp_type: int | None = None
    icmp_code: int | None = None
    later: bool = False  # fragments but the first, whose ports the switch does not know

    def __str__(self) -> str:
        parts = (self.protocol, f"{self.port:x}", f"{self.mask:x}", self.icmp_type, self.icmp_code)
        if self.later:
            return f"{self.protocol}/later"
        return "/".join("" if part is None else str(part) for part in parts)


ANYTHING = Service()


class Way(NamedTuple):
    """Direction and family, which every match says."""

    ingress: bool
    version: int

    def __str__(self) -> str:
        return f"{'in' if self.ingress else 'out'}/{self.version}"


class Grant(NamedTuple):
    """What a group lets pass one way, from or to one remote."""

    group_id: str
    way: Way
    remote: Remote

    @property
    def dimensions(self) -> int:
        """Port and service; the remote as well, unless it is anybody."""
        return 2 if self.remote == ANYBODY else 3

    def __str__(self) -> str:
        return f"{self.group_id}/{self.way}/{self.remote}"


def grant_of(rule: Rule) -> Grant:
    """The grant that a rule is part of."""
    prefix = rule.remote if rule.remote is not None and rule.remote.length else None
    remote = Remote(prefix, rule.remote_group_id, rule.remote_addresses_id)
    return Grant(rule.group_id, Way(rule.ingress, rule.version), remote)


def services_of(rule: Rule) -> Iterator[Service]:
    """The services that a rule adds to its grant.

    None for ports of a protocol whose ports the switch can't see: better too little than too much.
    With ports or an ICMP type goes what follows a first fragment: a datapath that lets fragments
    pass as they are knows them of the first only. It holds fragments back until it has all of them,
    and again when a connection is remembered, so of a packet whose first is refused nobody gets the
    rest but who has a connection already, and who can't do anything with it.
    """
    protocol = rule.protocol
    if protocol == ICMP and rule.version == 6:
        protocol = ICMPV6  # "icmp" of an IPv6 rule means its own, as Neutron has it
    if protocol is None:
        yield ANYTHING
    elif rule.ports is not None and rule.ports != _PORTS_ALL:
        if protocol in _MATCHED_BY_PORT:
            for port, mask in masks_of_range(*rule.ports):
                yield Service(protocol, port, mask)
            yield Service(protocol, later=True)
    else:
        yield Service(protocol, 0, 0, rule.icmp_type, rule.icmp_code)
        if rule.icmp_type is not None:
            yield Service(protocol, later=True)


class GrantIds:
    """Numbers of grants: the same on every start, whatever came first, and no two alike.

    A number is a hash of the grant's name. Of grants that share one, the later in order take the
    hash of their name with their place in that order; that two of those meet again is one in 2^32
    of one in 2^32.
    """

    def __init__(self, bits: int = 32) -> None:
        self._bits = bits
        self._sharing: dict[int, list[Grant]] = {}  # by plain hash, in order
        self._by_grant: dict[Grant, int] = {}

    def __getitem__(self, grant: Grant) -> int:
        return self._by_grant[grant]

    def add(self, grant: Grant) -> set[Grant]:
        """Number a grant; the others whose number that changes."""
        plain = self._hash(grant, 0)
        sharing = self._sharing.setdefault(plain, [])
        sharing.append(grant)
        sharing.sort(key=str)
        return self._number(sharing) - {grant}

    def drop(self, grant: Grant) -> set[Grant]:
        """Number a grant no more; the others whose number that changes."""
        plain = self._hash(grant, 0)
        sharing = self._sharing[plain]
        sharing.remove(grant)
        del self._by_grant[grant]
        if not sharing:
            del self._sharing[plain]
        return self._number(sharing)

    def _number(self, sharing: list[Grant]) -> set[Grant]:
        changed = set()
        for place, grant in enumerate(sharing):
            number = self._hash(grant, place)
            if self._by_grant.get(grant) != number:
                self._by_grant[grant] = number
                changed.add(grant)
        return changed

    def _hash(self, grant: Grant, place: int) -> int:
        name = f"{grant}#{place}" if place else str(grant)
        digest = blake2b(name.encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") % ((1 << self._bits) - 1) + 1  # 0 is no number
