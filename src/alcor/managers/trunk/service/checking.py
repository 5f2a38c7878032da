"""What is asked of others before ports join a trunk: are they there, theirs, and small enough."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from alcor.contracts.peers import Ids
from alcor.intent.records import NetworkRecord, PortRecord
from alcor.managers.trunk.model.refusals import (
    NothingToInherit,
    SubPortMtuGreaterThanTrunkPortMtu,
)
from alcor.managers.trunk.model.trunk import INHERIT, VLAN, SubPort
from alcor.managers.trunk.needs import Peers
from alcor.values.missing import PortNotFound


class _Known(NamedTuple):
    """Ports with their networks."""

    port_by_id: Mapping[str, PortRecord]
    network_by_id: Mapping[str, NetworkRecord]

    def network_of(self, port_id: str) -> NetworkRecord | None:
        return self.network_by_id.get(self.port_by_id[port_id].network_id)


class Checking:
    """Looks ports up for whoever `project` is; None is who may use all."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def sub_ports(
        self, parent_id: str, items: Sequence[Mapping[str, Any]], project: str | None
    ) -> list[SubPort]:
        """The sub-ports that a checked body asks for; a `Refusal` when one can't be had."""
        known = await self._known([parent_id, *(item["port_id"] for item in items)], project)
        parent = known.network_of(parent_id)
        found: list[SubPort] = []
        for item in items:
            port_id = item["port_id"]
            network = known.network_of(port_id)
            if parent is not None and network is not None and network.mtu > parent.mtu:
                raise SubPortMtuGreaterThanTrunkPortMtu(port_id, network.mtu, parent_id, parent.mtu)
            found.append(SubPort(port_id=port_id, segmentation_id=_tag(item, network)))
        return found

    async def _known(self, port_ids: Sequence[str], project: str | None) -> _Known:
        views = (await self._peers.ports.views(Ids(list(port_ids)))).ports
        ports = {
            view.port.id: view.port for view in views if project in (None, view.port.project_id)
        }
        for port_id in port_ids:
            if port_id not in ports:
                raise PortNotFound(port_id)
        ids = sorted({port.network_id for port in ports.values()})
        networks = (await self._peers.networks.networks(Ids(ids))).networks
        return _Known(ports, {network.id: network for network in networks})


def _tag(item: Mapping[str, Any], network: NetworkRecord | None) -> int:
    if item["segmentation_type"] != INHERIT:
        tag: int = item["segmentation_id"]
        return tag
    if network is None or network.network_type != VLAN or network.segmentation_id is None:
        raise NothingToInherit(network.network_type if network else "unknown")
    return network.segmentation_id
