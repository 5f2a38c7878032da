"""Do a batch of writes on ports: creates, changes and deletions of many requests together.

The order that makes a crash at any point harmless: lease, then save, then give back. A lease whose
port was never saved is freed by the IP manager's sweeper; for a port that exists, a note
(`unsettled`) is saved before its leases may differ from its row, and whoever finds the note
tells the IP manager what the row says. Only one batch is done at a time.
"""

from collections.abc import Callable, Mapping, Sequence

import structlog

from alcor.contracts.peers import Holding, Holdings, Ids, IpPeer
from alcor.contracts.resources import Written
from alcor.contracts.routing import FixedAddress, FloatingIpPeer
from alcor.intent.records import NodeRecord
from alcor.managers.port.macs import MacSource
from alcor.managers.port.model.addressing import SubnetElsewhere
from alcor.managers.port.model.jobs import Create, Delete, Job, Rebind, Settle, Together, Update
from alcor.managers.port.model.making import PortMaker
from alcor.managers.port.model.port import FixedIpOfFloatingIp
from alcor.managers.port.model.segments import Hosts
from alcor.managers.port.needs import Saved, Store, Transaction
from alcor.managers.port.service.commit import (
    Change,
    MacsDoubled,
    NewPorts,
    Rebinding,
    Removal,
    Several,
    Write,
    commit,
    network_not_found,
)
from alcor.managers.port.service.groups import Asked, PortGroups
from alcor.managers.port.service.leasing import Leasing, all_of, nothing
from alcor.managers.port.service.progress import (
    Progress,
    check_ids,
    given_up,
    groups_asked,
    hosts_held,
    hosts_named,
    mac_refusal,
    macs_given,
    names_policy,
    new_ports,
    note_before,
    note_coming,
    open_in,
    orphans,
    policy_wishes,
    requests_of,
    unusable,
    viewer_of,
    whose,
    written,
)
from alcor.managers.port.service.references import References
from alcor.runtime.managing.policy_references import PolicyReferences
from alcor.values.errors import Refusal, Unavailable
from alcor.values.missing import SubnetNotFound

mac_tries_max = 8  # batches of MAC addresses that all turned out to be taken

log = structlog.get_logger(__name__)

_HOST = "binding:host_id"


class Writer:
    """Does batches of jobs."""

    def __init__(
        self,
        store: Store,
        references: References,
        ips: IpPeer,
        macs: MacSource,
        groups: PortGroups,
        policies: PolicyReferences,
        floating_ips: FloatingIpPeer,
        now: Callable[[], str],
        zone: str = "",
    ) -> None:
        self._policies = policies
        self._floating_ips = floating_ips
        self._store = store
        self._references = references
        self._leasing = Leasing(references, ips)
        self._ips = ips
        self._macs = macs
        self._groups = groups
        self._now = now
        self._zone = zone  # the region's domain
        self._settled: set[str] = set()  # whose notes the next transaction removes

    async def do(self, jobs: Sequence[Job]) -> list[Written | Exception]:
        """One answer for each job, in order; refused jobs changed nothing."""
        batch = [Progress(job) for job in jobs]
        await self._check_networks(batch)
        await self._look_up_groups(batch)
        await self._look_up_policies(batch)
        await self._prepare(batch)
        await self._write(batch)
        await self._bind_again(batch)
        await self._give_back(batch)
        return [written(each.answer) for each in batch]

    async def settle(self, count_max: int) -> None:
        """Tell the IP manager what the ports hold that have a note; for the start."""
        await self.do([Settle(count_max)])

    async def _check_networks(self, batch: Sequence[Progress]) -> None:
        """Refuse what refers to networks that are not there, or not theirs."""
        creates = [(each, each.job) for each in batch if isinstance(each.job, Create)]
        ids = {draft.network_id for _, job in creates for draft in job.drafts}
        networks = await self._references.networks(ids) if ids else {}
        networks |= await self._references.networks_now(
            {id_ for each, job in creates for id_ in unusable(job, networks)}
        )
        for each, job in creates:
            for id_ in unusable(job, networks):
                each.answer = network_not_found(id_)
            each.owners = {
                draft.network_id: networks[draft.network_id].project_id
                for draft in job.drafts
                if draft.network_id in networks
            }
            each.secured = {n.id: n.port_security_enabled for n in networks.values()}

    async def _look_up_groups(self, batch: Sequence[Progress]) -> None:
        """Find the security groups of every port, or refuse those that can't have theirs."""
        asking = [
            (each, port_id, wanted)
            for each in open_in(batch)
            for port_id, wanted in groups_asked(each)
        ]
        unknown = list({wanted: None for _, _, wanted in asking if isinstance(wanted, Asked)})
        found = dict(zip(unknown, await self._groups.answers(unknown), strict=True))
        for each, port_id, wanted in asking:
            answer = found[wanted] if isinstance(wanted, Asked) else wanted
            if isinstance(answer, Refusal):
                each.answer = each.answer or answer
            else:
                each.groups[port_id] = answer

    async def _look_up_policies(self, batch: Sequence[Progress]) -> None:
        """Refuse the QoS policies that ports can't have, or whose removal is not theirs."""
        asking = [each for each in open_in(batch) if names_policy(each.job)]
        if not asking:
            return
        ids = [each.job.id for each in asking if isinstance(each.job, Update)]
        held = await self._store.read(lambda tx: tx.ports(ids))
        wishes = [(each, wish) for each in asking for wish in policy_wishes(each.job, held)]
        answers = await self._policies.answers([wish for _, wish in wishes])
        for (each, _), answer in zip(wishes, answers, strict=True):
            each.answer = each.answer or answer

    async def _prepare(self, batch: Sequence[Progress]) -> None:
        """Before leases are touched: are the ids free, the ports there? Leave notes for those."""
        await self._look_for_coming(batch)
        creates = [e for e in open_in(batch) if isinstance(e.job, Create) and e.job.ids_given]
        updates = [
            e
            for e in open_in(batch)
            if isinstance(e.job, Update)
            and (e.job.wishes is not None or e.job.readdress or e.comes)
        ]
        if not creates and not updates:
            return

        def work(tx: Transaction) -> None:
            tx.settled(self._settled)
            for each in creates:
                check_ids(tx, each)
            for each in updates:
                note_before(tx, each)

        await self._store.write(work)
        self._settled.clear()

    async def _look_for_coming(self, batch: Sequence[Progress]) -> None:
        """Find the ports without addresses that are to have a host where there are segments."""
        bound = [
            each
            for each in open_in(batch)
            if isinstance(each.job, Update) and each.job.changes.get(_HOST)
        ]
        if bound and self._references.any_segments:
            await self._store.read(lambda tx: note_coming(tx, bound))

    async def _lease(self, batch: Sequence[Progress], reach: Hosts) -> list[Progress]:
        """Lease what is open. Return those whose chosen MAC is taken, as what is made of it is."""
        asking = [
            (each, requests) for each in open_in(batch) if (requests := requests_of(each, reach))
        ]
        if not asking:
            return []
        answers = await self._leasing.lease([requests for _, requests in asking])
        doubled: list[Progress] = []
        for (each, _), answer in zip(asking, answers, strict=True):
            if not isinstance(answer, Refusal):
                each.addresses, each.segments = answer
            elif isinstance(refusal := await self._why(each, answer), MacsDoubled):
                doubled.append(each)
            else:
                each.answer = refusal
        return doubled

    async def _keep_translated(self, batch: Sequence[Progress]) -> None:
        """Refuse changes by which a port would lose an address that a floating IP goes to."""
        leaving = [(each, lost) for each in open_in(batch) if (lost := given_up(each))]
        if not leaving:
            return
        ids = [each.job.id for each, _ in leaving if isinstance(each.job, Update)]
        try:
            reply = await self._floating_ips.translated_to(Ids(ids))
        except Refusal as away:
            for each, _ in leaving:
                each.answer = away
            return
        for each, lost in leaving:
            if isinstance(each.job, Update) and any(
                FixedAddress(each.job.id, address) in reply.addresses for address in lost
            ):
                each.answer = FixedIpOfFloatingIp(each.job.id)

    async def _why(self, each: Progress, refusal: Refusal) -> Refusal:
        """Why a job has no addresses: its MAC is taken, if so, rather than what is made of it; and
        a subnet is rather not there than elsewhere."""
        if isinstance(refusal, SubnetElsewhere):
            viewer = viewer_of(each.job)
            seen = await self._references.sees_subnet(refusal.subnet_id, viewer)
            return refusal if seen else SubnetNotFound(refusal.subnet_id)
        if refusal.type != "IpAddressAlreadyAllocated":
            return refusal
        return await self._store.read(lambda tx: mac_refusal(tx, each)) or refusal

    async def _write(self, batch: Sequence[Progress]) -> None:
        """Lease and save what is open, and again those whose chosen MAC addresses were taken.

        A MAC is chosen before addresses are leased, because some are made of it.
        """
        named = hosts_named(open_in(batch))
        nodes = await self._references.hosts(named)
        reach = await self._references.reach(named | hosts_held(open_in(batch)))
        for _ in range(mac_tries_max):
            for each in open_in(batch):
                await self._choose_macs(each)
            doubled = await self._lease(batch, reach)
            await self._keep_translated(batch)
            writing = [each for each in open_in(batch) if not isinstance(each.job, Settle)]
            if not writing:
                return
            for each in doubled:
                each.again = True
            saving = [each for each in writing if not any(each is other for other in doubled)]
            maker = PortMaker(self._now(), self._zone)
            writes = [self._write_of(each, nodes, reach, maker) for each in saving]
            answers = await self._commit(writes)
            for each, answer in zip(saving, answers, strict=True):
                if isinstance(answer, MacsDoubled):
                    each.again = True
                else:
                    each.answer = answer
        for each in open_in(batch):
            if not isinstance(each.job, Settle):
                each.answer = Unavailable("No free MAC address was found; try again.")

    async def _bind_again(self, batch: Sequence[Progress]) -> None:
        """Bind ports to the hosts that could not have them, if these can now: whatever was changed
        of the ports, as in Neutron."""
        failed = [
            (each, each.job._replace(changes={_HOST: host}, wishes=None, if_revision=None))
            for each in batch
            if isinstance(each.job, Update) and _HOST not in each.job.changes
            if isinstance(each.answer, Saved) and (host := each.answer.unplugged)
        ]
        if not failed:
            return
        nodes = await self._references.hosts({job.changes[_HOST] for _, job in failed})
        again = [(each, Progress(job)) for each, job in failed if job.changes[_HOST] in nodes]
        maker = PortMaker(self._now(), self._zone)
        answers = await self._commit([self._write_of(own, nodes, {}, maker) for _, own in again])
        for (each, _), answer in zip(again, answers, strict=True):
            each.answer = answer if isinstance(answer, Saved) else each.answer

    async def _commit(self, writes: Sequence[Write]) -> list[Saved | Refusal]:
        place = self._macs.place

        def work(tx: Transaction) -> list[Saved | Refusal]:
            tx.settled(self._settled)
            return commit(tx, writes, place)

        answers = await self._store.write(work)
        self._settled.clear()
        return answers

    def _write_of(
        self,
        each: Progress,
        nodes: Mapping[str, NodeRecord],
        reach: Hosts,
        maker: PortMaker,
    ) -> Write:
        job, at = each.job, maker.at
        assert not isinstance(job, Settle)
        if isinstance(job, Together):
            return Several(job.decide, job.trace)
        project, trace = whose(job)
        if isinstance(job, Create):
            ports = new_ports(job.drafts, each, nodes, maker)
            given = macs_given(job)
            return NewPorts(ports, given, trace, each.owners, job.caller.sees_all)
        if isinstance(job, Rebind):
            return Rebinding(job.id, project, job.decide, trace, at)
        if isinstance(job, Delete):
            return Removal(job.id, project, trace, job.holder)
        changes = {**job.changes, "mac_address": each.macs[job.id]} if each.macs else job.changes
        fixed_ips = each.addresses[job.id] if each.addresses is not None else None
        host = changes.get(_HOST, "")
        return Change(
            job.id,
            project,
            changes,
            fixed_ips,
            nodes.get(host),
            reach.get(host, ()),
            job.if_revision,
            at,
            trace,
            job.holder,
            job.mac_chosen,
            self._zone,
            each.segments.get(job.id),
        )

    async def _choose_macs(self, each: Progress) -> None:
        """Of every port of the job that needs one; none that the client gave to another of them."""
        job = each.job
        if isinstance(job, Create):
            given = macs_given(job)
            macs = await self._free_macs(sum(not d.mac_address for d in job.drafts), given)
            each.macs = {d.id: d.mac_address or macs.pop() for d in job.drafts}
        elif isinstance(job, Update) and job.mac_chosen:
            each.macs = {job.id: (await self._free_macs(1, frozenset()))[0]}

    async def _free_macs(self, count: int, given: frozenset[str]) -> list[str]:
        """As many, the last to be used first."""
        macs: list[str] = []
        while len(macs) < count:
            macs += [m for m in await self._macs.take(count - len(macs)) if m not in given]
        return macs[::-1]

    async def _give_back(self, batch: Sequence[Progress]) -> None:
        """Tell the IP manager what the ports of the batch hold now."""
        holdings = orphans(batch)
        ids = [e.job.id for e in batch if isinstance(e.job, Delete) and isinstance(e.answer, Saved)]
        ids += [e.job.id for e in batch if isinstance(e.job, Update) and e.before is not None]
        ids += [id_ for e in batch if e.again and isinstance(e.answer, Saved) for id_ in e.macs]
        count = sum(e.job.count_max for e in batch if isinstance(e.job, Settle))
        if not ids and not count and not holdings:
            return

        def work(tx: Transaction) -> list[Holding]:
            noted = [*ids, *(tx.unsettled(count) if count else ())]
            ports = tx.ports(noted)
            return [*map(all_of, ports.values()), *nothing(i for i in noted if i not in ports)]

        noted = await self._store.read(work) if ids or count else []
        try:
            await self._ips.keep(Holdings([*noted, *holdings]))
        except Exception:  # the batch's boundary: it is saved; the notes remain for the next settle
            log.exception("addresses_not_given_back", ports=len(noted) + len(holdings))
            return
        self._settled.update(holding.owner for holding in noted)
        for each in batch:
            if isinstance(each.job, Settle):
                each.answer = Saved([], 0)
