"""A floating IP, as the hosts of the router that translates it must know it."""

from alcor.goal_state.entries import FloatingIp
from alcor.goal_state.slices import floating_key
from alcor.intent.records import FloatingIpRecord
from alcor.planner.parsed import address, mac


def plan(floating: FloatingIpRecord) -> tuple[str, FloatingIp] | None:
    """Its entry in its router's slice; none while no router translates it.

    `ValueError` when the record's text is no address.
    """
    if not floating.router_id:
        return None
    return floating_key(floating.router_id, floating.id), FloatingIp(
        id=floating.id,
        router_id=floating.router_id,
        network_id=floating.floating_network_id,
        mac=mac(floating.mac_address),
        address=address(floating.floating_ip_address),
        port_id=floating.port_id,
        fixed=address(floating.fixed_ip_address) if floating.port_id else None,
        name=floating.dns_name,
        qos_policy_id=floating.qos_policy_id,
    )
