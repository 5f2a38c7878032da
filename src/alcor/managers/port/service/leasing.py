"""Lease the addresses of a batch: one call for all groups, a second one for those found stale.

Groups that want alike are asked for as one, which costs the IP manager what a bulk does; if it
can't have all, each is asked for by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from alcor.contracts.peers import (
    Holding,
    IpPeer,
    Lease,
    LeaseGroup,
    LeaseRefusal,
    LeaseRequest,
    Wanted,
)
from alcor.intent.records import FixedIp
from alcor.managers.port.model.addressing import (
    Interface,
    Subnets,
    Wish,
    segment_of,
    wanted,
)
from alcor.managers.port.model.port import Port
from alcor.managers.port.model.segments import OnSegment
from alcor.managers.port.service.references import References
from alcor.values.errors import Kind, Refusal

STALE = {"SubnetsChanged", "SubnetNotFound"}  # the IP manager's words for "look again"


class Request(NamedTuple):
    """The addresses that one port wants."""

    port_id: str
    network_id: str
    wishes: Sequence[Wish] | None  # None: whatever the network has
    interface: Interface


class Leased(NamedTuple):
    """What the ports of a group have got, by port; segments of those on networks that have some."""

    addresses: dict[str, tuple[FixedIp, ...]]
    segments: dict[str, OnSegment | None]


Leases = Mapping[str, Sequence[FixedIp]]  # by owner, of several groups perhaps
NO_LEASES: Leases = {}


class Leasing:
    """Turns what ports wish into leases."""

    def __init__(self, references: References, ips: IpPeer) -> None:
        self._references = references
        self._ips = ips

    async def lease(self, groups: Sequence[Sequence[Request]]) -> list[Leased | Refusal]:
        """Per group: all its addresses, or why it has none."""
        sure: dict[str, Subnets] = {}
        unsure = {network_id for group in groups for network_id in self._unsure(group)}
        sure |= await self._references.subnets_now(unsure)
        answers = await self._ask(groups, sure)
        again = [i for i, answer in enumerate(answers) if _stale(answer)]
        if again:
            sure |= await self._references.subnets_now(
                {r.network_id for i in again for r in groups[i]}
            )
            repeated = await self._ask([groups[i] for i in again], sure)
            for i, answer in zip(again, repeated, strict=True):
                answers[i] = answer
        return answers

    def _unsure(self, group: Sequence[Request]) -> set[str]:
        """The networks whose subnets, as far as they are wished for, the copy may not know."""
        choosing = {request.network_id for request in group if request.wishes is None}
        unknown = {id_ for id_ in choosing if not self._references.subnets(id_).views}
        return unknown | {r.network_id for r in group if r.wishes and self._doubtful(r)}

    def _doubtful(self, request: Request) -> bool:
        known = self._references.subnets(request.network_id)
        try:
            wanted(request.port_id, request.network_id, request.wishes, known, request.interface)
        except Refusal:
            return True
        return False

    async def _ask(
        self, groups: Sequence[Sequence[Request]], sure: Mapping[str, Subnets]
    ) -> list[Leased | Refusal]:
        answers: list[Leased | Refusal] = []
        asked: list[tuple[int, LeaseGroup]] = []
        for i, group in enumerate(groups):
            try:
                wish = self._group(group, sure)
                segments = self._segments(group, sure)
            except Refusal as refusal:
                answers.append(refusal)
                continue
            answers.append(Leased({request.port_id: () for request in group}, segments))
            if wish.wanted:
                asked.append((i, wish))
        leased = await self._leased([wish for _, wish in asked])
        for (i, _), leases in zip(asked, leased, strict=True):
            answers[i] = _with(answers[i], leases)
        return answers

    def _segments(
        self, group: Sequence[Request], sure: Mapping[str, Subnets]
    ) -> dict[str, OnSegment | None]:
        """By port, where a network has segments: the one that it is on, if that is known."""
        found: dict[str, OnSegment | None] = {}
        for port_id, network_id, wishes, interface in group:
            subnets = self._known(network_id, sure)
            if subnets.segmented:
                found[port_id] = segment_of(port_id, network_id, wishes, subnets, interface)
        return found

    async def _leased(self, groups: Sequence[LeaseGroup]) -> list[Leases | Refusal]:
        """Per group: the leases of its owners, or why it has none."""
        joint = joined(groups)
        answers: list[Leases | Refusal] = [NO_LEASES] * len(groups)
        alone: list[int] = []
        for (members, _), answer in zip(
            joint, await self._answers([group for _, group in joint]), strict=True
        ):
            if isinstance(answer, Refusal) and len(members) > 1 and not _stale(answer):
                alone += members
                continue
            for i in members:
                answers[i] = answer
        repeated = await self._answers([groups[i] for i in alone])
        for i, answer in zip(alone, repeated, strict=True):
            answers[i] = answer
        return answers

    async def _answers(self, groups: list[LeaseGroup]) -> list[Leases | Refusal]:
        if not groups:
            return []
        reply = await self._ips.lease(LeaseRequest(groups))
        return [_by_owner(leases) for leases in reply.groups]

    def _group(self, group: Sequence[Request], sure: Mapping[str, Subnets]) -> LeaseGroup:
        wishes: list[Wanted] = []
        known: dict[str, tuple[str, ...]] = {}
        alike: dict[str, list[str]] = {}  # by network: ports that want what any port is given
        subnets_of = {id_: self._known(id_, sure) for id_ in {r.network_id for r in group}}
        for port_id, network_id, items, interface in group:
            subnets = subnets_of[network_id]
            if items is None and network_id not in sure:
                known[network_id] = subnets.ids
            if items is None and subnets.plain:
                alike.setdefault(network_id, []).append(port_id)
            else:
                wishes += wanted(port_id, network_id, items, subnets, interface)
        wishes += [
            Wanted(owners=tuple(port_ids), subnet_ids=ids)
            for network_id, port_ids in alike.items()
            for ids in subnets_of[network_id].families
        ]
        return LeaseGroup(wishes, known)

    def _known(self, network_id: str, sure: Mapping[str, Subnets]) -> Subnets:
        subnets = sure.get(network_id)
        return self._references.subnets(network_id) if subnets is None else subnets


def all_of(port: Port) -> Holding:
    """That the port shall hold the addresses of its row, and no others."""
    leases = [Lease(port.id, ip.subnet_id, ip.ip_address) for ip in port.fixed_ips]
    return Holding(port.id, leases)


def nothing(port_ids: Iterable[str]) -> list[Holding]:
    """That these shall hold no address."""
    return [Holding(port_id, []) for port_id in port_ids]


def joined(groups: Sequence[LeaseGroup]) -> list[tuple[list[int], LeaseGroup]]:
    """Groups that want alike made one, with the places of those that it stands for."""
    places: dict[object, list[int]] = {}
    for i, group in enumerate(groups):
        named = any(wish.address for wish in group.wanted)
        wants = tuple(wish.subnet_ids for wish in group.wanted)
        places.setdefault(i if named else (wants, *group.known.items()), []).append(i)
    return [(members, _one([groups[i] for i in members])) for members in places.values()]


def _one(groups: Sequence[LeaseGroup]) -> LeaseGroup:
    first = groups[0]
    if len(groups) == 1:
        return first
    of_each = zip(*(group.wanted for group in groups), strict=True)
    return LeaseGroup([_of_all(wishes) for wishes in of_each], first.known)


def _of_all(wishes: Sequence[Wanted]) -> Wanted:
    owners = tuple(chain.from_iterable(wish.owners for wish in wishes))
    return Wanted(owners=owners, subnet_ids=wishes[0].subnet_ids)


def _with(asked: Leased | Refusal, leases: Leases | Refusal) -> Leased | Refusal:
    """What a group has asked for with the addresses that it has got."""
    if isinstance(leases, Refusal) or isinstance(asked, Refusal):
        return leases if isinstance(leases, Refusal) else asked
    return asked._replace(
        addresses={port_id: tuple(leases.get(port_id, ())) for port_id in asked.addresses}
    )


def _stale(answer: Leased | Leases | Refusal) -> bool:
    return isinstance(answer, Refusal) and answer.type in STALE


def _by_owner(leases: list[Lease] | LeaseRefusal) -> Leases | Refusal:
    if isinstance(leases, LeaseRefusal):
        return Refusal(leases.message, type=leases.type, kind=Kind(leases.kind))
    found: dict[str, list[FixedIp]] = {}
    for lease in leases:
        found.setdefault(lease.owner, []).append(FixedIp(lease.subnet_id, lease.address))
    return found
