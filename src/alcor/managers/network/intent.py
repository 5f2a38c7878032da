"""What the intent log is told of a network. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import NetworkRecord
from alcor.managers.network.model.network import NOBODY, Network, Reach
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


def told(network: Network, reach: Reach = NOBODY) -> Told:
    """That the network is so."""
    return Told(records.key("network", network.id), records.encode(record(network, reach)))


def told_gone(id_: str) -> Told:
    """That the network is gone."""
    return Told(records.key("network", id_), None)
