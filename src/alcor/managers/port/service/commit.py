"""What of a batch is saved: decided inside the transaction that saves it.

Sync and without I/O of its own: it sees the store through `Transaction`. Writes are independent of
each other; a refused one changes nothing and hurts no other.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET, Raw

from alcor.contracts.sharing import allows
from alcor.intent.records import FixedIp, NodeRecord
from alcor.managers.port.intent import record
from alcor.managers.port.macs import Place
from alcor.managers.port.model import trunking
from alcor.managers.port.model.binding import FAILED
from alcor.managers.port.model.bindings import Bindings, Decided
from alcor.managers.port.model.holding import check_change, check_holder, check_removal
from alcor.managers.port.model.port import (
    MacAddressInUse,
    Port,
    PortIdInUse,
    changed,
    encode,
)
from alcor.managers.port.model.segments import OnSegment, Reach
from alcor.managers.port.model.trunking import Changes, Find, following
from alcor.managers.port.needs import NewGroup, Saved, Transaction
from alcor.managers.port.service.groups import group_not_found
from alcor.resource.revisions import check_revision
from alcor.runtime.tables.usage import OverQuota
from alcor.values.errors import Conflict, NotFound, Refusal, Unavailable
from alcor.values.missing import NetworkNotFound, PortNotFound
from alcor.values.qos import QosPolicyNotFound


class NewPorts(NamedTuple):
    """Save all of these ports, or none."""

    ports: Sequence[Port]
    macs_given: frozenset[str]  # the MAC addresses that the client chose
    trace: str
    owners: Mapping[str, str] = {}  # of their networks
    trusted: bool = True  # who sees all puts ports of any project on any network


class Change(NamedTuple):
    """Change a port; `fixed_ips` is None when its addresses, and its segment, stay."""

    id: str
    project: str | None  # whose it must be; None: anybody's
    changes: Mapping[str, Any]
    fixed_ips: tuple[FixedIp, ...] | None
    node: NodeRecord | None  # the host that it names; None when that can't plug it in
    reach: Reach  # of that host
    if_revision: int | None
    at: str
    trace: str
    holder: str = ""  # the device on whose behalf; empty: a client's
    mac_chosen: bool = False  # by the manager itself
    zone: str = ""  # the region's domain
    segment: OnSegment | None = None  # of `fixed_ips`


class Removal(NamedTuple):
    """Delete a port."""

    id: str
    project: str | None
    trace: str
    holder: str = ""


class Rebinding(NamedTuple):
    """Change the bindings of a port as `decide` says of what they are now."""

    id: str
    project: str | None
    decide: Callable[[Port, Bindings], Decided]
    trace: str
    at: str


class Several(NamedTuple):
    """Change several ports, all or none, as `decide` says of what they are now."""

    decide: Callable[[Find], Changes]
    trace: str


class MacsDoubled(Conflict):
    """MAC addresses that the manager chose itself are taken: choose again."""


Write = NewPorts | Change | Removal | Rebinding | Several


def commit(tx: Transaction, writes: Sequence[Write], place: Place) -> list[Saved | Refusal]:
    """Save what can be saved; the answers are in the order of the writes."""
    answers: dict[int, Saved | Refusal] = {}
    news = [(i, write) for i, write in enumerate(writes) if isinstance(write, NewPorts)]
    if news:
        verdicts = _verdicts(tx, [write for _, write in news])
        accepted = [(i, w) for (i, w), no in zip(news, verdicts, strict=True) if no is None]
        answers |= {i: no for (i, _), no in zip(news, verdicts, strict=True) if no is not None}
        saved = tx.insert([NewGroup(w.ports, w.trace, w.owners) for _, w in accepted])
        answers |= {i: each for (i, _), each in zip(accepted, saved, strict=True)}
        tx.save_place(place)
    for i, write in enumerate(writes):
        if not isinstance(write, NewPorts):
            answers[i] = _one(tx, write)
    return [answers[i] for i in range(len(writes))]


def _verdicts(tx: Transaction, news: Sequence[NewPorts]) -> list[Refusal | None]:
    """Why each group can't be saved; earlier groups have what later ones may want as well."""
    ports = [port for new in news for port in new.ports]
    ids = {port.id for port in ports}
    parents = {port.network_id for port in ports} | _subnets(ports) | _groups(ports)
    parents |= _policies(ports)
    fenced = tx.fenced([*ids, *parents])
    confined = tx.confined(sorted(parents))
    taken_ids = tx.existing(list(ids))
    macs_by_network: dict[str, list[str]] = {}
    for port in ports:
        macs_by_network.setdefault(port.network_id, []).append(port.mac_address)
    taken_macs = tx.macs_taken(macs_by_network)
    room = tx.room({port.project_id for port in ports})
    verdicts: list[Refusal | None] = []
    for new in news:
        verdict = (
            _taken(new, taken_ids)  # before others: a port that is there keeps its leases
            or _over_quota(new, room)
            or (None if new.trusted else _not_shared(new, confined))
            or _verdict(new, fenced, taken_macs)
        )
        if verdict is None:
            taken_ids |= {port.id for port in new.ports}
            taken_macs |= {(port.network_id, port.mac_address) for port in new.ports}
            for project in room.keys() & {port.project_id for port in new.ports}:
                room[project] -= sum(port.project_id == project for port in new.ports)
        verdicts.append(verdict)
    return verdicts


def _not_shared(new: NewPorts, confined: Mapping[str, frozenset[str]]) -> Refusal | None:
    """What a port refers to may have been shared with its project until a moment ago."""
    if not confined:
        return None
    for port in new.ports:
        if not _may_use(port, port.network_id, confined):
            return network_not_found(port.network_id)
        if gone := [g for g in port.security_groups if not _may_use(port, g, confined)]:
            return group_not_found(gone)
        if port.qos_policy_id and not _may_use(port, port.qos_policy_id, confined):
            return QosPolicyNotFound(port.qos_policy_id)
    return None


def _may_use(port: Port, id_: str, confined: Mapping[str, frozenset[str]]) -> bool:
    allowed = confined.get(id_)
    return allowed is None or allows(allowed, port.project_id)


def _over_quota(new: NewPorts, room: Mapping[str, int]) -> Refusal | None:
    if not room:
        return None
    for project, count in Counter(port.project_id for port in new.ports).items():
        if count > room.get(project, count):
            return OverQuota(["port"])
    return None


def _taken(new: NewPorts, taken_ids: set[str]) -> Refusal | None:
    taken = next((port.id for port in new.ports if port.id in taken_ids), None)
    return PortIdInUse(taken) if taken is not None else None


def _verdict(new: NewPorts, fenced: set[str], taken_macs: set[tuple[str, str]]) -> Refusal | None:
    for port in new.ports:
        if fenced and (refusal := _fence_refusal(port, fenced)):
            return refusal
        if (port.network_id, port.mac_address) in taken_macs:
            if port.mac_address in new.macs_given:
                return MacAddressInUse(port.network_id, port.mac_address)
            return MacsDoubled(port.mac_address)
    return None


def _fence_refusal(port: Port, fenced: set[str]) -> Refusal | None:
    if port.network_id in fenced:
        return network_not_found(port.network_id)
    for subnet_id in _subnets([port]) & fenced:
        return Conflict(f"Subnet {subnet_id} is being deleted.")
    if gone := sorted(_groups([port]) & fenced):
        return group_not_found(gone)
    if port.qos_policy_id in fenced:
        return QosPolicyNotFound(port.qos_policy_id or "")
    if port.id in fenced:
        # The sweeper took it for dead: its leases may be gone.
        return Unavailable(f"Creating port {port.id} took too long; try again.")
    return None


def _one(tx: Transaction, write: Change | Removal | Rebinding | Several) -> Saved | Refusal:
    if isinstance(write, Several):
        try:
            return _save(tx, write.decide(tx.ports), write.trace)
        except Refusal as refusal:
            return refusal
    port = tx.ports([write.id]).get(write.id)
    if port is None or not _sees(tx, write.project, port):
        return PortNotFound(write.id)
    try:
        if isinstance(write, Rebinding):
            return _rebind(tx, port, write)
        check_holder(port, write.holder)
        if isinstance(write, Removal):
            check_removal(port, write.holder)
            trunking.check_removal(port)
            if port.fixed_ips:
                tx.unsettle([port.id])
            return tx.delete(port, write.trace)
        return _change(tx, port, write)
    except Refusal as refusal:
        return refusal


def _sees(tx: Transaction, project: str | None, port: Port) -> bool:
    """Its owner sees a port, and so does the owner of its network."""
    return project in (None, port.project_id) or tx.landlord(port.id) == project


def _save(tx: Transaction, changes: Changes, trace: str) -> Saved:
    """Several changed ports; a change that hosts need not hear of is told to nobody."""
    last = tx.sequence()
    for old, new in changes:
        if record(old) == record(new):
            tx.show([new])
        else:
            last = tx.replace(old, new, trace).sequence
    return Saved([], last)


def _rebind(tx: Transaction, port: Port, write: Rebinding) -> Saved:
    before = tx.bindings(port.id)
    new, waiting = write.decide(port, before)
    trunking.check_binding(port)
    tx.save_bindings(port.id, waiting)  # first, as what hosts are told names those that wait
    if new is port and {each.host for each in waiting} == {each.host for each in before}:
        return Saved([], tx.sequence())
    saved = tx.replace(port, new, write.trace)
    if new.host != port.host:
        return _and_trunk(tx, saved, following(port, new, tx.ports, write.at), write.trace)
    for sub_port in tx.ports(trunking.sub_port_ids(port)).values():
        saved = Saved(saved.documents, tx.replace(sub_port, sub_port, write.trace).sequence)
    return saved


def _and_trunk(tx: Transaction, saved: Saved, changes: Changes, trace: str) -> Saved:
    """What was saved of a port, and what follows for the trunk that it is on."""
    if not changes:
        return saved
    return Saved(saved.documents, _save(tx, changes, trace).sequence)


def _change(tx: Transaction, port: Port, write: Change) -> Saved:
    check_revision(write.if_revision, port.revision_number)
    new = changed(
        port,
        write.changes,
        write.fixed_ips,
        node=write.node,
        reach=write.reach,
        at=write.at,
        zone=write.zone,
        segment=write.segment or UNSET,
    )
    check_change(port, new, write.holder)
    trunking.check_change(port, new)
    unplugged = new.host if new.vif_type == FAILED else ""
    if new is port:
        return Saved([Raw(encode(port))], tx.sequence(), unplugged)
    if new.mac_address != port.mac_address and tx.macs_taken({new.network_id: [new.mac_address]}):
        if write.mac_chosen:
            raise MacsDoubled(new.mac_address)
        raise MacAddressInUse(new.network_id, new.mac_address)
    for subnet_id in tx.fenced(sorted(_subnets([new]) - _subnets([port]))):
        raise Conflict(f"Subnet {subnet_id} is being deleted.")
    more = sorted(_groups([new]) - _groups([port]))
    gone = sorted(tx.fenced(more))
    if more and write.project is not None:
        confined = tx.confined(more)
        gone += [each for each in more if not _may_use(new, each, confined)]
    if gone:
        raise group_not_found(gone)
    if new.qos_policy_id and new.qos_policy_id != port.qos_policy_id:
        _check_policy(tx, new, new.qos_policy_id, trusted=write.project is None)
    saved = tx.replace(port, new, write.trace)
    saved = _and_trunk(tx, saved, following(port, new, tx.ports, write.at), write.trace)
    return saved._replace(unplugged=unplugged)


def _check_policy(tx: Transaction, port: Port, policy_id: str, *, trusted: bool) -> None:
    """The QoS policy may have gone, or may be theirs no more, since its owner was asked."""
    confined = {} if trusted else tx.confined([policy_id])
    if tx.fenced([policy_id]) or not _may_use(port, policy_id, confined):
        raise QosPolicyNotFound(policy_id)


def network_not_found(id_: str) -> NotFound:
    """The refusal of a network that is not there, or not theirs."""
    return NetworkNotFound(id_)


def _subnets(ports: Sequence[Port]) -> set[str]:
    return {ip.subnet_id for port in ports for ip in port.fixed_ips}


def _groups(ports: Sequence[Port]) -> set[str]:
    return {group for port in ports for group in port.security_groups}


def _policies(ports: Sequence[Port]) -> set[str]:
    return {port.qos_policy_id for port in ports if port.qos_policy_id}
