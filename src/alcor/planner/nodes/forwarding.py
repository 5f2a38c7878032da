"""A port forwarding, as the hosts of its floating IP's router must know it."""

from alcor.goal_state.entries import Forwarding
from alcor.goal_state.slices import forwarding_key
from alcor.intent.records import PortForwardingRecord
from alcor.planner.parsed import address

_WITH_PORTS = (6, 17, 132)  # TCP, UDP, SCTP


def plan(forwarding: PortForwardingRecord) -> tuple[str, Forwarding] | None:
    """Its entry in its floating IP's slice; `ValueError` when the text is no address.

    None for a protocol of which a switch can't translate the ports.
    """
    if forwarding.protocol not in _WITH_PORTS:
        return None
    return forwarding_key(forwarding.floating_ip_id, forwarding.id), Forwarding(
        id=forwarding.id,
        floating_ip_id=forwarding.floating_ip_id,
        protocol=forwarding.protocol,
        outer=forwarding.external_ports,
        address=address(forwarding.internal_ip),
        inner=forwarding.internal_ports,
    )
