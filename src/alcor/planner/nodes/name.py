"""A port's name, as every host of its network must know it; bound or not."""

from alcor.goal_state.entries import Name
from alcor.goal_state.slices import name_key
from alcor.intent.records import PortRecord
from alcor.planner.parsed import address


def plan(port: PortRecord) -> tuple[str, Name] | None:
    """Its entry in its network's slice; none while it has no name or no address.

    `ValueError` when the record's text is no address.
    """
    if not port.dns_name or not port.fixed_ips:
        return None
    return name_key(port.network_id, port.id), Name(
        port_id=port.id,
        network_id=port.network_id,
        name=port.dns_name,
        domain=port.dns_domain,
        addresses=tuple(address(fixed.ip_address) for fixed in port.fixed_ips),
    )
