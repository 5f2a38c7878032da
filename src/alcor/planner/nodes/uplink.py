"""A host's uplinks, as all that send out by the same physical networks must know them."""

from collections.abc import Iterator

from alcor.goal_state.entries import UplinkNode
from alcor.goal_state.slices import uplink_node_key
from alcor.intent.records import NodeRecord
from alcor.planner.parsed import address


def plan(node: NodeRecord) -> Iterator[tuple[str, UplinkNode]]:
    """An entry for each physical network that it has an uplink to; none while it is dead."""
    if node.alive:
        for name in node.physical_networks:
            entry = UplinkNode(name, node.id, address(node.tunnel_ip), node.availability_zone)
            yield uplink_node_key(name, node.id), entry


def keys(node: NodeRecord) -> Iterator[str]:
    """Of all its entries."""
    return (uplink_node_key(name, node.id) for name in node.physical_networks)
