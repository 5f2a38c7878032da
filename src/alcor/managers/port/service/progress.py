"""How far each job of a batch of writes is, and what it asks of others: a part of `writer.py`.

No await and no I/O of its own: what needs the database is given the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET

from alcor.contracts.peers import Holding
from alcor.contracts.resources import Written
from alcor.contracts.sharing import allows
from alcor.intent.records import FixedIp, NetworkRecord, NodeRecord
from alcor.managers.port.model.addressing import Interface, Wish
from alcor.managers.port.model.jobs import Create, Delete, Draft, Job, Rebind, Update, project_of
from alcor.managers.port.model.making import Own, PortMaker
from alcor.managers.port.model.port import (
    MacAddressInUse,
    Port,
    PortIdInUse,
    machine_owners,
)
from alcor.managers.port.model.segments import DEFERRED, Hosts, OnSegment
from alcor.managers.port.needs import Saved, Transaction
from alcor.managers.port.service.commit import MacsDoubled
from alcor.managers.port.service.groups import Answer, Asked, asked
from alcor.managers.port.service.leasing import Request, nothing
from alcor.runtime.managing import policy_references
from alcor.values.addresses import address
from alcor.values.errors import Refusal, Unavailable
from alcor.values.missing import PortNotFound
from alcor.values.revision import Revision


@dataclass(slots=True)
class Progress:
    """How far a job of the batch is; once `answer` is set, it goes no further."""

    job: Job
    answer: Saved | Refusal | None = None
    addresses: dict[str, tuple[FixedIp, ...]] | None = None  # leased for it, by port
    segments: dict[str, OnSegment | None] = field(default_factory=dict)  # by port, of these
    before: Port | None = None  # of a change of addresses: the port as it was
    comes: bool = False  # a port without addresses that is to have a host where there are segments
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by port
    macs: dict[str, str] = field(default_factory=dict)  # by port: given, or chosen
    again: bool = False  # its first MACs were taken: more may be leased than is needed now
    owners: dict[str, str] = field(default_factory=dict)  # by network
    secured: dict[str, bool] = field(default_factory=dict)  # by network, where ports don't say

    def is_secured(self, draft: Draft) -> bool:
        """Whether the port shall have port security."""
        said: bool | None = draft.item.get("port_security_enabled")
        return self.secured[draft.network_id] if said is None else said


def unusable(job: Create, networks: Mapping[str, NetworkRecord]) -> set[str]:
    """The networks of a job's ports that are not there, or neither theirs nor shared with them."""
    project = project_of(job.caller)
    wanted = {draft.network_id for draft in job.drafts}
    return {
        id_
        for id_ in wanted
        if id_ not in networks
        or (
            project not in (None, networks[id_].project_id)
            and not allows(networks[id_].shared_with, project or "")
        )
    }


def open_in(batch: Iterable[Progress]) -> list[Progress]:
    """The jobs that have no answer yet."""
    return [each for each in batch if each.answer is None]


def check_ids(tx: Transaction, each: Progress) -> None:
    """An id that a port has must not get at that port's leases.

    One that the sweeper fenced is free again: the create that it fenced is over, as batches are
    done one at a time.
    """
    assert isinstance(each.job, Create)
    for taken in tx.existing(each.job.ids_given):
        each.answer = PortIdInUse(taken)
        return
    tx.lift(each.job.ids_given)


def note_before(tx: Transaction, each: Progress) -> None:
    """Note that the leases of a port are about to change, and what it has until then."""
    assert isinstance(each.job, Update)
    port = tx.ports([each.job.id]).get(each.job.id)
    if port is None or project_of(each.job.caller) not in (None, port.project_id):
        each.answer = PortNotFound(each.job.id)
        return
    tx.unsettle([port.id])
    each.before = port


def note_coming(tx: Transaction, bound: Sequence[Progress]) -> None:
    """Note which changes of a host are changes of addresses as well: where there are segments, a
    port that has no addresses is on one only when it has a host."""
    ports = tx.ports([each.job.id for each in bound if isinstance(each.job, Update)])
    for each in bound:
        port = ports.get(each.job.id) if isinstance(each.job, Update) else None
        if port is not None and not port.fixed_ips:
            each.comes = port.ip_allocation == DEFERRED or port.segment is not UNSET


def requests_of(each: Progress, reach: Hosts) -> list[Request]:
    """The addresses that a job wants leased."""
    job = each.job
    if isinstance(job, Create):
        return [
            Request(
                d.id,
                d.network_id,
                d.wishes,
                Interface(
                    each.macs[d.id], d.device_owner, host=d.host, reach=reach.get(d.host, ())
                ),
            )
            for d in job.drafts
        ]
    if isinstance(job, Update) and each.before is not None:
        before = each.before
        changes = {**job.changes, **({"mac_address": each.macs[job.id]} if each.macs else {})}
        held = [Wish(ip.subnet_id, address(ip.ip_address)) for ip in before.fixed_ips]
        host = changes.get("binding:host_id", before.host)
        interface = Interface(
            changes.get("mac_address") or before.mac_address,
            changes.get("device_owner", before.device_owner),
            frozenset(wish.address for wish in held if wish.address is not None),
            host,
            reach.get(host, ()),
        )
        wishes = held if job.wishes is None else job.wishes
        if job.wishes is None and before.ip_allocation == DEFERRED and not held:
            return [Request(job.id, before.network_id, None, interface)]
        return [Request(job.id, before.network_id, wishes, interface)]
    return []


def given_up(each: Progress) -> set[str]:
    """The addresses that a port has and is not leased any more."""
    if each.before is None or each.addresses is None:
        return set()
    leased = each.addresses[each.before.id]
    return {ip.ip_address for ip in each.before.fixed_ips} - {ip.ip_address for ip in leased}


def groups_asked(each: Progress) -> list[tuple[str, Asked | Answer]]:
    """The security groups that a job's ports shall have; none where they stay."""
    job = each.job
    if isinstance(job, Create):
        viewer = project_of(job.caller)
        return [
            (d.id, asked(d.item, viewer, d.project_id, secured=each.is_secured(d)))
            for d in job.drafts
        ]
    if isinstance(job, Update) and job.changes.get("security_groups"):
        ids = tuple(job.changes["security_groups"])
        return [(job.id, Asked(project_of(job.caller), "", ids))]
    return []


def names_policy(job: Job) -> bool:
    """Whether a job says which QoS policy a port shall have."""
    if isinstance(job, Create):
        return any(draft.item["qos_policy_id"] for draft in job.drafts)
    return isinstance(job, Update) and "qos_policy_id" in job.changes


def policy_wishes(job: Job, held: Mapping[str, Port]) -> list[policy_references.Wish]:
    """What a job's ports ask for, beside what they have."""
    if isinstance(job, Create):
        viewer = project_of(job.caller)
        return [policy_references.Wish(viewer, d.item["qos_policy_id"]) for d in job.drafts]
    if isinstance(job, Update) and (port := held.get(job.id)):
        viewer, wanted = project_of(job.caller), job.changes["qos_policy_id"]
        placed = bool(port.host) and port.device_owner.startswith(machine_owners)
        return [policy_references.Wish(viewer, wanted, port.qos_policy_id, placed)]
    return []


def hosts_named(batch: Iterable[Progress]) -> set[str]:
    """The hosts that are named."""
    names: set[str] = set()
    for each in batch:
        if isinstance(each.job, Create):
            names.update(draft.host for draft in each.job.drafts)
        elif isinstance(each.job, Update):
            names.add(each.job.changes.get("binding:host_id", ""))
    return names - {""}


def hosts_held(batch: Iterable[Progress]) -> set[str]:
    """The hosts of the ports whose addresses change."""
    return {each.before.host for each in batch if each.before is not None} - {""}


def whose(job: Create | Update | Delete | Rebind) -> tuple[str | None, str]:
    """The project whose ports are seen, and the trace of the request."""
    return project_of(job.caller), job.caller.request_id


def viewer_of(job: Job) -> str | None:
    """The project whose subnets the job's caller sees; None: all."""
    return project_of(job.caller) if isinstance(job, Create | Update) else None


def mac_refusal(tx: Transaction, each: Progress) -> Refusal | None:
    """That a MAC address of the job's is taken, if one is."""
    job, before = each.job, each.before
    if isinstance(job, Create):
        wanted = [(draft.network_id, each.macs[draft.id]) for draft in job.drafts]
        given = macs_given(job)
    elif isinstance(job, Update) and before is not None:
        mac = each.macs.get(job.id) or job.changes.get("mac_address") or before.mac_address
        wanted = [(before.network_id, mac)] if mac != before.mac_address else []
        given = frozenset(() if job.mac_chosen else (mac,))
    else:
        return None
    macs: dict[str, list[str]] = {}
    for network_id, mac in wanted:
        macs.setdefault(network_id, []).append(mac)
    for network_id, mac in sorted(tx.macs_taken(macs)):
        return MacAddressInUse(network_id, mac) if mac in given else MacsDoubled(mac)
    return None


def macs_given(job: Create) -> frozenset[str]:
    """The MAC addresses that the client chose."""
    return frozenset(draft.mac_address for draft in job.drafts if draft.mac_address)


def new_ports(
    drafts: Sequence[Draft], each: Progress, hosts: Mapping[str, NodeRecord], maker: PortMaker
) -> list[Port]:
    """The ports of a job, from what was asked for and what was found for them."""
    addresses, groups = each.addresses or {}, each.groups
    return [
        maker.new(
            draft.item,
            Own(
                draft.id,
                draft.project_id,
                each.macs[draft.id],
                addresses.get(draft.id, ()),
                groups.get(draft.id, ()),
                each.is_secured(draft),
                hosts.get(draft.host),
                each.segments.get(draft.id),
                draft.id in each.segments and not addresses.get(draft.id),
            ),
        )
        for draft in drafts
    ]


def orphans(batch: Iterable[Progress]) -> list[Holding]:
    """What was leased for ports that were then refused (not what a port with that id holds)."""
    return nothing(
        port_id
        for each in batch
        if isinstance(each.answer, Refusal) and not isinstance(each.answer, PortIdInUse)
        if isinstance(each.job, Create) and each.addresses
        for port_id, addresses in each.addresses.items()
        if addresses
    )


def written(answer: Saved | Refusal | None) -> Written | Exception:
    """What the caller is told."""
    if answer is None:
        return Unavailable("The addresses could not be settled; try again.")
    if isinstance(answer, Refusal):
        return answer
    return Written(answer.documents, str(Revision("port", answer.sequence)))
