"""A network, as its hosts must know it."""

from alcor.goal_state.entries import Network
from alcor.goal_state.slices import network_key
from alcor.intent.records import NetworkRecord


def plan(network: NetworkRecord, zone: str, *, large: bool = False) -> tuple[str, Network]:
    """Its entry in its own slice; `zone` is the region's domain.

    A `large` one is held lazily, unless machines ask for neighbours on a wire.
    """
    return network_key(network.id), Network(
        id=network.id,
        vni=network.vni,
        mtu=network.mtu,
        admin_state_up=network.admin_state_up,
        dns_domain=network.dns_domain,
        physical_network=network.physical_network,
        vlan=(network.segmentation_id or 0) if network.network_type == "vlan" else 0,
        zone=zone,
        qos_policy_id=network.qos_policy_id,
        lazy=large and not network.physical_network,
    )
