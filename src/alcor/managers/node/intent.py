"""What the intent log is told of a node. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import NodeRecord
from alcor.managers.node.model import Node


def record(node: Node) -> NodeRecord:
    """The record of a node."""
    return NodeRecord(
        id=node.id,
        tunnel_ip=node.tunnel_ip,
        availability_zone=node.availability_zone,
        physical_networks=node.physical_networks,
        capacity=node.capacity,
        bridge=node.bridge,
        datapath_type=node.datapath_type,
        alive=not node.is_gone,
        returning=node.is_returning,
    )


def told(node: Node) -> Told:
    """That the node is so."""
    return Told(records.key("node", node.id), records.encode(record(node)))


def told_gone(id_: str) -> Told:
    """That the node is gone."""
    return Told(records.key("node", id_), None)
