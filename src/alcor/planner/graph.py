"""Which decisions a change of intent makes anew, and what that changes in goal state.

Pure: the same records lead to the same goal state, whatever the order in which they came. A
changed port costs two entries whatever the size of its network; a changed node costs one entry
for each of its own ports, and two for each router that leaves by another host with it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from alcor.goal_state import codec
from alcor.goal_state.entries import GoalEntry
from alcor.goal_state.slices import (
    attachment_key,
    exit_key,
    gateway_key,
    host_port_key,
    interface_key,
    member_key,
    name_key,
    neighbour_key,
    subnet_acl_key,
    subnet_key,
)
from alcor.intent.local_ip_records import LocalIpAssociationRecord
from alcor.intent.records import (
    AddressGroupRecord,
    FloatingIpRecord,
    GroupRecord,
    NdpProxyRecord,
    NetworkAclRecord,
    NetworkAclRuleRecord,
    NetworkRecord,
    NodeRecord,
    PortForwardingRecord,
    PortRecord,
    QosPolicyRecord,
    Record,
    RouterRecord,
    RuleRecord,
    SubnetPoolRecord,
    SubnetRecord,
)
from alcor.intent.segmented import key_for_hosts, seen_by_hosts
from alcor.intent.watching_records import (
    LogRecord,
    MeteringLabelRecord,
    MeteringRuleRecord,
    TapFlowRecord,
    TapMirrorRecord,
    TapServiceRecord,
)
from alcor.planner import large, taps
from alcor.planner.index import Index
from alcor.planner.metering_index import owner_of
from alcor.planner.nodes import (
    acl,
    floating_ip,
    forwarding,
    group,
    log,
    member,
    metering,
    mirror,
    name,
    neighbour,
    network,
    port_on_host,
    qos,
    router,
    subnet,
    uplink,
    way_out,
)
from alcor.values.addresses import address

Decision = tuple[str, GoalEntry] | None
_UNCHANGED: Mapping[str, NodeRecord | None] = {}
lazy_above = 2_000  # bound ports of a network


class IntentChange(NamedTuple):
    """A record of the intent log as it is now; None when it is gone."""

    key: str
    record: Record | None
    revision: int


class GoalChange(NamedTuple):
    """An entry of goal state as it must be now, encoded; None when it is gone."""

    key: str
    value: bytes | None


class Planner:
    """Intent in, goal state out; it emits only what differs from what it emitted before.

    `zone` is the region's domain, in which machines have names. A network with more bound ports
    than `lazy_above` is held lazily.
    """

    def __init__(self, zone: str = "", lazy_above: int = lazy_above) -> None:
        self._zone = zone
        self._lazy_above = lazy_above
        self.index = Index()
        self._emitted: dict[str, bytes] = {}

    @property
    def goal(self) -> Mapping[str, bytes]:
        """All of goal state, as emitted so far."""
        return self._emitted

    def apply(self, change: IntentChange) -> list[GoalChange]:
        """What this change changes; nothing when it is not newer than what is held.

        `ValueError` when the record can't be planned; then nothing has changed.
        """
        change = _for_hosts(change)
        if change.revision <= self.index.revision(change.key):
            return []
        held = self.index.get(change.key)
        match change.record:
            case PortRecord(network_id=now) if isinstance(held, PortRecord):
                return self._apply(change) if now == held.network_id else self._move(change)
        return self._apply(change)

    def _move(self, change: IntentChange) -> list[GoalChange]:
        """A port leaves one segment for another: it is as if it went, and came."""
        assert change.record is not None, "it is there"
        _encoded(self._decide(change.record))  # raises before any change
        gone = self._apply(change._replace(record=None))
        came = self._apply(change)
        there = {each.key for each in came}
        return came + [each for each in gone if each.key not in there]

    def _apply(self, change: IntentChange) -> list[GoalChange]:
        held = self.index.get(change.key)
        before: Iterable[str] = () if held is None else list(self._decided(held))
        others = self._decide_of_others(held, change.record)
        if isinstance(held or change.record, PortRecord):
            spread = self._decide_spread(held, change.record)
            if spread is not large.NOTHING:
                others += self._of_spread(spread)
                before = chain(before, spread.touched)
        if change.record is None:
            decided = _encoded(others)
            moves = self.index.drop(change.key)
        else:
            decided = _encoded([*self._decide(change.record), *others])  # raises before any change
            moves = self.index.put(change.key, change.record, change.revision)
        if not moves:
            return self._emit(before, decided)
        came = (way_out.plan(each.host, each.router_id) for each in moves if each.is_there)
        gone = [exit_key(each.host, each.router_id) for each in moves if not each.is_there]
        return self._emit(chain(before, gone), decided | _encoded(came))

    def surplus(self, living: Collection[str]) -> list[IntentChange]:
        """The changes that leave only the records of these keys: for a complete snapshot only."""
        named = set(map(key_for_hosts, living))
        return [
            IntentChange(key, None, self.index.revision(key) + 1)
            for key in self.index.held()
            if key not in named
        ]

    def _decide(self, record: Record) -> Iterator[Decision]:
        """Every entry that the record decides."""
        match record:
            case PortRecord():
                yield from self._decide_port(record)
            case FloatingIpRecord():
                yield floating_ip.plan(record)
            case NdpProxyRecord():
                yield router.plan_proxied(record)
            case PortForwardingRecord():
                yield forwarding.plan(record)
            case RouterRecord():
                yield router.plan(record)
            case QosPolicyRecord():
                yield qos.plan(record)
            case NetworkRecord():
                is_large = self.index.bound(record.id) > self._lazy_above
                yield network.plan(record, self._zone, large=is_large)
            case SubnetRecord():
                yield subnet.plan(record, self.index.scopes.scope_of(record.subnetpool_id))
            case NodeRecord():
                address(record.tunnel_ip)  # refuse the node rather than its ports later
                changed = {record.id: record}
                yield from (self._neighbour(port, changed) for port in self._ports_of(record))
                yield from uplink.plan(record)
                yield from large.of_node(self.index, self._lazy_above, record)
                yield from taps.of_node(self.index, record.id, record)
            case LogRecord():
                yield from self._decide_log(record)
            case TapMirrorRecord():
                yield from mirror.plan(record, self.index.port(record.port_id))
            case TapServiceRecord():
                yield from taps.of_service(self.index, record)
            case TapFlowRecord():
                yield from taps.of_flow(self.index, record)
            case GroupRecord():
                for each in self.index.monitoring.logs_of_project(record.project_id):
                    yield from log.plan_groups(each, (record.id,))
            case MeteringRuleRecord():
                yield metering.plan(record, self.index.metering.owner(record.label_id))
            case MeteringLabelRecord():
                rules = self.index.metering.rules_of(record.id)
                yield from (metering.plan(rule, owner_of(record)) for rule in rules)
        yield from _decide_groups(record)

    def _decide_port(self, port: PortRecord) -> Iterator[Decision]:
        """Every entry that a port decides; `_keys_of_port` names them."""
        yield from port_on_host.plan(port, self.index.local_ips.of(port.id))
        yield self._neighbour(port)
        yield name.plan(port)
        yield router.plan_interface(port)
        yield router.plan_attachment(port)
        yield router.plan_gateway(port)
        yield from member.plan(port)
        for each in self.index.monitoring.logs_of_port(port.id):
            yield from log.plan_port(each, port)
        for tap in self.index.monitoring.mirrors_of_port(port.id):
            yield from mirror.plan(tap, port)
        yield from taps.of_port(self.index, port)

    def _decide_of_others(self, before: Record | None, after: Record | None) -> list[Decision]:
        """What the change decides of entries that other records decide as well."""
        if isinstance(before or after, PortRecord):  # most are, and they do not
            return []
        if isinstance(before, NodeRecord) and after is None:
            gone: dict[str, None] = {before.id: None}  # ports that wait there are still elsewhere
            neighbours = [self._neighbour(port, gone) for port in self._ports_of(before)]
            return [*neighbours, *taps.of_node(self.index, before.id, None)]
        return [
            *self._decide_acls(before, after),
            *self._decide_scopes(before, after),
            *self._decide_local_ips(before, after),
        ]

    def _decide_spread(self, before: Record | None, after: Record | None) -> large.Spread:
        """What a port's change means for the size of its network."""
        assert before is None or isinstance(before, PortRecord), "kinds of keys stay"
        assert after is None or isinstance(after, PortRecord), "kinds of keys stay"
        return large.of_port(self.index, self._lazy_above, before, after)

    def _of_spread(self, spread: large.Spread) -> list[Decision]:
        decisions: list[Decision] = [*spread.decided]
        record = self.index.network(spread.network_id)
        if spread.becomes is not None and record is not None:
            decisions.append(network.plan(record, self._zone, large=spread.becomes))
        return decisions

    def _decide_acls(self, before: Record | None, after: Record | None) -> Iterator[Decision]:
        """What subnets' networks are told of their ACLs."""
        acls = self.index.acls
        if isinstance(after, SubnetRecord):
            yield acl.plan_subnet(after.network_id, after.id, acls.acl_of(after.id))
        changed = [each for each in (before, after) if isinstance(each, NetworkAclRecord)]
        for subnet_id in dict.fromkeys(id_ for each in changed for id_ in each.subnet_ids):
            claims = isinstance(after, NetworkAclRecord) and subnet_id in after.subnet_ids
            acl_id = changed[0].id
            has = acls.acl_of(subnet_id, without=acl_id, with_=acl_id if claims else "")
            yield acl.plan_subnet(acls.network_of(subnet_id), subnet_id, has)

    def _decide_scopes(self, before: Record | None, after: Record | None) -> Iterator[Decision]:
        """What the subnets of a pool are told of its address scope, while they are there."""
        pool = before if after is None else after
        if not isinstance(pool, SubnetPoolRecord):
            return
        scope = "" if after is None else pool.address_scope_id
        for subnet_id in self.index.scopes.subnets_of(pool.id):
            record = self.index.subnet(subnet_id)
            if record is not None:
                yield subnet.plan(record, scope)

    def _decide_local_ips(self, before: Record | None, after: Record | None) -> Iterator[Decision]:
        """What hosts are told of the ports that have local IPs, or had them."""
        changed = [e for e in (before, after) if isinstance(e, LocalIpAssociationRecord)]
        for port_id in dict.fromkeys(each.port_id for each in changed):
            port = self.index.port(port_id)
            if port is not None:
                has = self.index.local_ips.with_(port_id, before, after)
                yield from port_on_host.plan(port, has)

    def _decided(self, record: Record) -> Iterator[str]:
        """The keys of all entries that the record may have decided when it was last planned."""
        match record:
            case PortRecord():
                yield from self._keys_of_port(record)
            case NodeRecord():
                for port in self._ports_of(record):
                    yield neighbour_key(port.network_id, port.id)
                yield from uplink.keys(record)
                for entry in large.of_node(self.index, self._lazy_above, record):
                    yield entry[0]
                yield from taps.keys_of_node(self.index, record.id)
            case NetworkAclRecord():
                for subnet_id in record.subnet_ids:
                    yield subnet_acl_key(self.index.acls.network_of(subnet_id), subnet_id)
            case SubnetRecord():
                yield subnet_key(record.network_id, record.id)
                yield subnet_acl_key(record.network_id, record.id)
            case _:  # planned again it decides what it did: the index is as it was
                yield from (decision[0] for decision in self._decide(record) if decision)

    def _keys_of_port(self, port: PortRecord) -> Iterator[str]:
        yield from (host_port_key(host, port.id) for host in port.hosts)
        yield neighbour_key(port.network_id, port.id)
        yield name_key(port.network_id, port.id)
        if router.is_interface(port):
            yield interface_key(port.device_id, port.id)
            yield attachment_key(port.network_id, port.id)
        if router.is_gateway(port):
            yield gateway_key(port.device_id, port.id)
        for group_id in port.security_groups:
            yield member_key(group_id, port.id)
        for each in self.index.monitoring.logs_of_port(port.id):
            yield from log.keys_of_port(each, port)
        for tap in self.index.monitoring.mirrors_of_port(port.id):
            yield from mirror.keys(tap, port)
        yield from taps.keys_of_port(self.index, port)

    def _decide_log(self, record: LogRecord) -> Iterator[Decision]:
        """Where the log is kept: with its network ACL, its port, or its groups."""
        if record.acl_id:
            yield from log.plan_acl(record)
        elif record.port_id:
            yield from log.plan_port(record, self.index.port(record.port_id))
        else:
            yield from log.plan_groups(record, self.index.monitoring.groups_of(record))

    def _neighbour(
        self, port: PortRecord, changed: Mapping[str, NodeRecord | None] = _UNCHANGED
    ) -> Decision:
        """Where a port's packets go, with nodes as they will be."""
        at, *waiting = (
            changed[host] if host in changed else self.index.node(host)
            for host in (port.host, *port.waiting_hosts)
        )
        return neighbour.plan(port, at, [each for each in waiting if each is not None])

    def _ports_of(self, node: NodeRecord) -> list[PortRecord]:
        return self.index.ports_on(node.id)

    def _emit(self, before: Iterable[str], decided: Mapping[str, bytes]) -> list[GoalChange]:
        """What differs from what was emitted: new values first, then what is gone."""
        changes: list[GoalChange] = []
        for key, value in decided.items():
            if self._emitted.get(key) != value:
                self._emitted[key] = value
                changes.append(GoalChange(key, value))
        for key in before:
            if key not in decided and key in self._emitted:
                del self._emitted[key]
                changes.append(GoalChange(key, None))
        return changes


def _for_hosts(change: IntentChange) -> IntentChange:
    """The change as hosts are to know it: a segment is a network to them."""
    record = None if change.record is None else seen_by_hosts(change.record)
    return IntentChange(key_for_hosts(change.key), record, change.revision)


def _decide_groups(record: Record) -> Iterator[Decision]:
    """What the record decides of security groups and of ACLs' rules."""
    match record:
        case GroupRecord():
            yield group.plan(record)
        case RuleRecord():
            yield group.plan_rule(record)
        case AddressGroupRecord():
            yield group.plan_addresses(record)
        case NetworkAclRuleRecord():
            yield acl.plan_rule(record)


def _encoded(decisions: Iterable[Decision]) -> dict[str, bytes]:
    return {decision[0]: codec.encode(*decision) for decision in decisions if decision is not None}
