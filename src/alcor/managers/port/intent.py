"""A port as the intent log knows it: what the tenant wants, not how it is. Pure.

But for a gateway's next hop: all hosts of the router must know whether that lives.
"""

from collections.abc import Sequence

from alcor.intent import records
from alcor.intent.records import PortRecord
from alcor.managers.port.model import pairs
from alcor.managers.port.model.port import Port


def key(port_id: str) -> str:
    """The key of a port's record."""
    return records.key("port", port_id)


def record(port: Port, waiting_hosts: Sequence[str] = ()) -> PortRecord:
    """The record of a port, which has bindings that wait to these hosts."""
    return PortRecord(
        id=port.id,
        network_id=port.network_id,
        project_id=port.project_id,
        name=port.name,
        mac_address=port.mac_address,
        fixed_ips=port.fixed_ips,
        admin_state_up=port.admin_state_up,
        host=port.host,
        device_id=port.device_id,
        device_owner=port.device_owner,
        port_security_enabled=port.port_security_enabled,
        security_groups=port.security_groups,
        allowed_address_pairs=tuple(map(pairs.normal, port.allowed_address_pairs)),
        extra_dhcp_opts=port.extra_dhcp_opts,
        dns_name=port.dns_name,
        dns_domain=port.dns_domain,
        qos_policy_id=port.qos_policy_id or "",
        parent_id=port.trunk_subport.port_id if port.trunk_subport else "",
        segmentation_id=port.trunk_subport.segmentation_id if port.trunk_subport else 0,
        segment_id=port.segment.id if port.segment else "",
        waiting_hosts=tuple(waiting_hosts),
        next_hop=port.next_hop or "",
    )


def encoded(port: Port, waiting_hosts: Sequence[str] = ()) -> bytes:
    """The bytes of a port's record."""
    return records.encode(record(port, waiting_hosts))
