"""What the planner remembers of intent, found by what its decisions need.

Every record by its key, the ports of a host, and which hosts have ports on a network, or are led to
it by routers, or are the way out of one.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol
from urllib.parse import unquote

from alcor.goal_state import slices
from alcor.intent.records import (
    NetworkRecord,
    NodeRecord,
    PortRecord,
    Record,
    SubnetRecord,
    key,
)
from alcor.planner.acl_index import AclIndex
from alcor.planner.exit_index import ExitIndex, Move
from alcor.planner.group_index import GroupIndex
from alcor.planner.local_ip_index import LocalIpIndex
from alcor.planner.metering_index import MeteringIndex
from alcor.planner.monitoring_index import MonitoringIndex
from alcor.planner.qos_index import QosIndex
from alcor.planner.router_index import RouterIndex
from alcor.planner.scope_index import ScopeIndex


class Part(Protocol):
    """What is remembered of some kinds of records; it passes over the others."""

    def put(self, record: Record) -> None:
        """A record has come."""
        ...

    def drop(self, record: Record) -> None:
        """A record that came has gone, or is another now: then that one comes."""
        ...


class Index:
    """The records held now, and where the bound ports are."""

    def __init__(self) -> None:
        self.groups = GroupIndex()
        self.acls = AclIndex()
        self.qos = QosIndex()
        self.routers = RouterIndex()
        self.exits = ExitIndex()
        self.scopes = ScopeIndex()
        self.metering = MeteringIndex()
        self.local_ips = LocalIpIndex()
        self.monitoring = MonitoringIndex()
        self._parts: list[Part] = [
            *(self.groups, self.acls, self.qos, self.routers),
            *(self.scopes, self.metering, self.local_ips, self.monitoring),
        ]  # but for exits, whose changes move routers
        self._records: dict[str, tuple[int, Record]] = {}  # revision and record by key
        self._ports_by_host: dict[str, dict[str, None]] = {}
        self._ports_by_host_by_network: dict[str, dict[str, int]] = {}  # how many
        self._bound_by_network: dict[str, int] = {}  # ports

    def also(self, part: Part) -> None:
        """Tell this one of records as well; none is held yet."""
        assert not self._records, "it would lack those"
        self._parts.append(part)

    def held(self) -> Collection[str]:
        """Of every record held."""
        return self._records.keys()

    def get(self, key_: str) -> Record | None:
        """The record held under `key_`."""
        held = self._records.get(key_)
        return held[1] if held else None

    def revision(self, key_: str) -> int:
        """Of the record held under `key_`; 0 when there is none."""
        held = self._records.get(key_)
        return held[0] if held else 0

    def put(self, key_: str, record: Record, revision: int) -> list[Move]:
        """Hold `record` instead of what was held; by which hosts routers now leave instead."""
        before = self._take(key_)
        self._records[key_] = revision, record
        for each in self._parts:
            each.put(record)
        if isinstance(record, PortRecord) and record.host:
            counts = self._ports_by_host_by_network.setdefault(record.network_id, {})
            self._count_bound(record.network_id, 1)
            for host in record.hosts:
                self._ports_by_host.setdefault(host, {})[record.id] = None
                counts[host] = counts.get(host, 0) + 1
        return self.exits.change(before, record)

    def drop(self, key_: str) -> list[Move]:
        """Hold nothing under `key_`; by which hosts routers now leave instead."""
        return self.exits.change(self._take(key_), None)

    def _take(self, key_: str) -> Record | None:
        """Hold nothing under `key_`, but for exits; what was held."""
        _, record = self._records.pop(key_, (0, None))
        if record is not None:
            for each in self._parts:
                each.drop(record)
        if isinstance(record, PortRecord) and record.host:
            self._unbind(record)
        return record

    def bound(self, network_id: str) -> int:
        """How many ports of the network are bound."""
        return self._bound_by_network.get(network_id, 0)

    def ports_by_host(self, network_id: str) -> Mapping[str, int]:
        """The hosts that have ports of the network, and how many, waiting ones too."""
        return self._ports_by_host_by_network.get(network_id, {})

    def network(self, network_id: str) -> NetworkRecord | None:
        """The network's record, if there is one."""
        record = self.get(key("network", network_id))
        return record if isinstance(record, NetworkRecord) else None

    def node(self, host: str) -> NodeRecord | None:
        """The host's record, if it is a known node."""
        record = self.get(key("node", host))
        return record if isinstance(record, NodeRecord) else None

    def port(self, port_id: str) -> PortRecord | None:
        """The port's record, if there is one."""
        record = self.get(key("port", port_id))
        return record if isinstance(record, PortRecord) else None

    def subnet(self, subnet_id: str) -> SubnetRecord | None:
        """The subnet's record, if there is one."""
        record = self.get(key("subnet", subnet_id))
        return record if isinstance(record, SubnetRecord) else None

    def ports_on(self, host: str) -> list[PortRecord]:
        """The ports bound to `host`."""
        ports = self._ports_by_host.get(host, {})
        return [port for id_ in ports if (port := self.port(id_)) is not None]

    def hosts_on(self, network_id: str) -> Collection[str]:
        """The hosts that have a port on the network; of a router's id those that it leaves by."""
        ports_by_host = self._ports_by_host_by_network.get(network_id)
        return ports_by_host.keys() if ports_by_host else self.exits.of(network_id)

    def hosts_of(self, slice_: str) -> Collection[str]:
        """The hosts that a slice concerns; none of a name that is no slice's."""
        parts = [*self._concerned(slice_)]
        return parts[0] if len(parts) == 1 else set[str]().union(*parts)

    def waited_for(self, slice_: str) -> Collection[str]:
        """The hosts that a slice concerns and that may still say that they have it: one that was
        deleted never will."""
        return () if self.is_of_nobody(slice_) else self.hosts_of(slice_)

    def is_of_nobody(self, slice_: str) -> bool:
        """Whether a slice concerns no host, or one alone that is known no more."""
        match slice_.split("/"):
            case [slices.HOST, host, ""]:
                return host not in self._ports_by_host and self.node(host) is None
        return not any(self._concerned(slice_))

    def concerns(self, host: str, slice_: str) -> bool:
        """Whether a slice concerns the host: `hosts_of` for one, however many these are."""
        return any(host in part for part in self._concerned(slice_))

    def _concerned(self, slice_: str) -> Iterable[Collection[str]]:
        """The hosts that a slice concerns, in parts that are looked at where they are kept, one
        after the other: an external network has a part for each network that leads there."""
        match slice_.split("/"):
            case [slices.HOST, host, ""]:
                return [(host,)]
            case [slices.POLICY, policy_id, ""]:
                networks = self.networks_to_policy(policy_id)
                return [self.qos.hosts_of(policy_id), *map(self.hosts_on, networks)]
            case [slices.GROUP, group_id, ""]:
                return [self.groups.hosts_of_group(group_id)]
            case [slices.MEMBERS, group_id, ""]:
                return self.groups.hosts_of_members(group_id)
            case [slices.ADDRESSES, group_id, ""]:
                return self.groups.hosts_of_addresses(group_id)
        return map(self.hosts_on, self._networks_concerned(slice_))

    def _networks_concerned(self, slice_: str) -> Collection[str]:
        """The networks whose hosts a slice concerns."""
        match slice_.split("/"):
            case [slices.NETWORK, network_id, ""]:
                return self.routers.networks_to(network_id)
            case [slices.REACH, network_id, ""]:
                network = self.network(network_id)
                if network is None or network.physical_network:
                    return ()  # never held lazily
                return self.routers.networks_to(network_id)
            case [slices.FOUND, asked, ""]:
                return self.routers.networks_to(asked.partition(",")[0])
            case [slices.ROUTER, router_id, ""]:
                return self.routers.networks_at(router_id)
            case [slices.FORWARDINGS, floating_ip_id, ""]:
                return self.routers.networks_to_floating(floating_ip_id)
            case [slices.UPLINK, _, ""]:
                return self.routers.networks_to_uplink(slice_)
            case [slices.ACL, acl_id, ""]:
                return self.networks_to_acl(acl_id)
            case [slices.METERING, owner, ""]:
                return self.networks_metered(unquote(owner))
        return ()

    def networks_to_acl(self, acl_id: str) -> frozenset[str]:
        """Every network whose hosts hold a network with a subnet of the ACL."""
        networks = self.acls.networks_of(acl_id)
        return frozenset[str]().union(*map(self.routers.networks_to, networks))

    def networks_to_policy(self, policy_id: str) -> frozenset[str]:
        """Every network whose hosts hold a network or a router that has the QoS policy."""
        networks = map(self.routers.networks_to, self.qos.networks_of(policy_id))
        routers = map(self.routers.networks_at, self.qos.routers_of(policy_id))
        return frozenset[str]().union(*networks, *routers)

    def networks_metered(self, owner: str) -> frozenset[str]:
        """Every network from which packets may reach a router that is metered for the owner."""
        routers = self.metering.routers_of(owner)
        return frozenset[str]().union(*map(self.routers.networks_at, routers))

    def _unbind(self, port: PortRecord) -> None:
        counts = self._ports_by_host_by_network[port.network_id]
        self._count_bound(port.network_id, -1)
        for host in port.hosts:
            ports = self._ports_by_host[host]
            del ports[port.id]
            if not ports:
                del self._ports_by_host[host]
            counts[host] -= 1
            if not counts[host]:
                del counts[host]
        if not counts:
            del self._ports_by_host_by_network[port.network_id]

    def _count_bound(self, network_id: str, by: int) -> None:
        count = self._bound_by_network.pop(network_id, 0) + by
        if count:
            self._bound_by_network[network_id] = count
