"""What the intent log is told of a network. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import NetworkRecord, SegmentRecord
from alcor.managers.network.model.network import NOBODY, Network, Reach
from alcor.managers.network.model.network_segment import NetworkSegment, as_network
from alcor.managers.network.model.segment import VLAN


def record(network: Network, reach: Reach = NOBODY) -> NetworkRecord:
    """The record of a network, with whom its policies let use it."""
    return NetworkRecord(
        id=network.id,
        project_id=network.project_id,
        name=network.name,
        admin_state_up=network.admin_state_up,
        vni=network.vni,
        mtu=network.mtu,
        dns_domain=network.dns_domain,
        external=network.external,
        network_type=network.network_type,
        physical_network=network.physical_network or "",
        segmentation_id=network.segmentation_id if network.network_type == VLAN else None,
        port_security_enabled=network.port_security_enabled,
        shared_with=reach.shared_with,
        qos_policy_id=network.qos_policy_id or "",
    )


def told_segment(network: Network, segment: NetworkSegment, reach: Reach = NOBODY) -> Told:
    """That a further segment of the network is so."""
    hosts_see = record(as_network(network, segment), reach)
    told_of = SegmentRecord(id=segment.id, network_id=network.id, network=hosts_see)
    return Told(records.key("segment", segment.id), records.encode(told_of))


def told_segment_gone(id_: str) -> Told:
    """That there is no such segment."""
    return Told(records.key("segment", id_), None)


def told(network: Network, reach: Reach = NOBODY) -> Told:
    """That the network is so."""
    return Told(records.key("network", network.id), records.encode(record(network, reach)))


def told_gone(id_: str) -> Told:
    """That the network is gone."""
    return Told(records.key("network", id_), None)
