"""What ports refer to: networks, subnets and hosts, from local copies kept by the intent log.

A copy may be old. What it does not have is asked of its owner before anything is refused; that a
network has got another subnet is found out by the IP manager (`LeaseGroup.known`).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from alcor.contracts.peers import Ids, NetworkPeer, NodePeer, SubnetPeer
from alcor.intent.follow import ReadModel, Ready, follow, id_of, record_of
from alcor.intent.records import NetworkRecord, NodeRecord, SubnetRecord
from alcor.keyed_log.log import Entry, KeyedLog
from alcor.managers.port.model.addressing import Subnets, SubnetView, subnets, view
from alcor.managers.port.model.segments import Reach
from alcor.values.errors import Refusal

NONE = Subnets()


class SubnetModel:
    """The subnets by network; `added` is told of those that are new or have changed."""

    def __init__(self, added: Callable[[Sequence[SubnetView]], None]) -> None:
        self._added = added
        self._subnets_by_network: dict[str, Subnets] = {}
        self._network_by_subnet: dict[str, str] = {}
        self.any_segments = False  # whether there were some that are of segments

    def of(self, network_id: str) -> Subnets:
        """Those known of a network."""
        return self._subnets_by_network.get(network_id, NONE)

    async def replace(self, entries: Sequence[Entry]) -> None:
        """These are all."""
        self._subnets_by_network.clear()
        self._network_by_subnet.clear()
        await self.apply(entries)

    async def apply(self, entries: Sequence[Entry]) -> None:
        """These have changed, or are gone."""
        added: list[SubnetView] = []
        for entry in entries:
            record = record_of(entry)
            self._forget(id_of(entry))
            if isinstance(record, SubnetRecord):
                added.append(view(record))
                self.any_segments |= bool(record.segment_id)
                self._add(added[-1])
        self._added(added)

    def known(self, ids: Iterable[str]) -> list[SubnetView]:
        """Those of the subnets that are known."""
        networks = {n for id_ in ids if (n := self._network_by_subnet.get(id_))}
        return [view for n in networks for view in self.of(n).views if view.id in set(ids)]

    def _forget(self, subnet_id: str) -> None:
        network_id = self._network_by_subnet.pop(subnet_id, "")
        left = subnets(view for view in self.of(network_id).views if view.id != subnet_id)
        if left.views:
            self._subnets_by_network[network_id] = left
        else:
            self._subnets_by_network.pop(network_id, None)

    def _add(self, subnet: SubnetView) -> None:
        known = self.of(subnet.network_id).views
        self._subnets_by_network[subnet.network_id] = subnets([*known, subnet])
        self._network_by_subnet[subnet.id] = subnet.network_id


class References:
    """Look up what ports refer to."""

    def __init__(
        self,
        networks: NetworkPeer,
        subnets: SubnetPeer,
        nodes: NodePeer,
        added: Callable[[Sequence[SubnetView]], None] = lambda _: None,
    ) -> None:
        self._networks = networks
        self._subnets = subnets
        self._nodes = nodes
        self._network_model = ReadModel("network")
        self._node_model = ReadModel("node")
        self._subnet_model = SubnetModel(added)
        self._any_segments = False

    async def run(self, log: KeyedLog, rebuilt: Ready) -> None:
        """Keep the copies, for ever."""
        model = self._subnet_model
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._network_model.run(log, rebuilt))
            tasks.create_task(self._node_model.run(log, rebuilt))
            tasks.create_task(follow(log, "subnet", rebuilt, model.replace, model.apply))

    async def networks(self, ids: Iterable[str]) -> dict[str, NetworkRecord]:
        """Those of the networks that exist."""
        found: dict[str, NetworkRecord] = {}
        missing: list[str] = []
        for id_ in ids:
            record = self._network_model.get(id_)
            if isinstance(record, NetworkRecord):
                found[id_] = record
            else:
                missing.append(id_)
        return found | await self.networks_now(missing)

    def policy_of_network(self, id_: str) -> str:
        """The QoS policy of a network, as far as the copy knows; empty: none."""
        record = self._network_model.get(id_)
        return record.qos_policy_id if isinstance(record, NetworkRecord) else ""

    async def networks_now(self, ids: Iterable[str]) -> dict[str, NetworkRecord]:
        """Those of the networks that exist, as their owner says."""
        wanted = sorted(ids)
        reply = await self._networks.networks(Ids(wanted)) if wanted else None
        return {} if reply is None else {record.id: record for record in reply.networks}

    async def hosts(self, ids: Iterable[str]) -> dict[str, NodeRecord]:
        """Those of the hosts that ports can be bound to: known, and not silent.

        A host whose agent has never spoken is one to come, for which ports may be planned.
        """
        wanted = set(ids)
        found = {id_: node for id_ in wanted if (node := self.host(id_)) is not None}
        if missing := sorted(wanted - found.keys()):
            found |= {node.id: node for node in (await self._nodes.nodes(Ids(missing))).nodes}
        if spoken := sorted(id_ for id_, node in found.items() if node.bridge):
            for silent in (await self._nodes.silent(Ids(spoken))).ids:
                del found[silent]
        return found

    async def reach(self, ids: Iterable[str]) -> dict[str, Reach]:
        """The physical networks that hosts are on, silent ones too: as the copy says, or where
        subnets are of segments, so that it matters, as their owner does, unless that is away."""
        wanted = sorted(ids)
        known = {id_: node for id_ in wanted if (node := self.host(id_)) is not None}
        if wanted and self.any_segments:
            with suppress(Refusal):
                known |= {node.id: node for node in (await self._nodes.nodes(Ids(wanted))).nodes}
        return {id_: node.physical_networks for id_, node in known.items()}

    def host(self, id_: str) -> NodeRecord | None:
        """The host, as far as the copy knows."""
        node = self._node_model.get(id_)
        return node if isinstance(node, NodeRecord) else None

    def known_subnets(self, ids: Iterable[str]) -> list[SubnetView]:
        """Those of the subnets that the copy knows."""
        return self._subnet_model.known(ids)

    @property
    def any_segments(self) -> bool:
        """Whether subnets were seen that are of segments, now or before."""
        return self._subnet_model.any_segments or self._any_segments

    def subnets(self, network_id: str) -> Subnets:
        """The subnets of a network, as far as the copy knows."""
        return self._subnet_model.of(network_id)

    async def subnets_now(self, network_ids: Iterable[str]) -> Mapping[str, Subnets]:
        """The subnets of networks, as their owner says."""
        ids = sorted(network_ids)
        found: dict[str, list[SubnetView]] = {id_: [] for id_ in ids}
        if ids:
            for record in (await self._subnets.subnets_of(Ids(ids))).subnets:
                found[record.network_id].append(view(record))
                self._any_segments |= bool(record.segment_id)
        return {id_: subnets(views) for id_, views in found.items()}

    async def sees_subnet(self, id_: str, project: str | None) -> bool:
        """Whether the subnet is there and theirs, as its owner says; None sees all."""
        found = (await self._subnets.subnets(Ids([id_]))).subnets
        return any(project in (None, record.project_id) for record in found)
