"""A bound port, in full, as its own host must know it, and those that it is moved to or from."""

from collections.abc import Iterable, Iterator

from alcor.goal_state.entries import FixedIp, LocalIp, Port
from alcor.goal_state.slices import host_port_key
from alcor.intent.local_ip_records import LocalIpAssociationRecord
from alcor.intent.records import PortRecord
from alcor.planner.parsed import address, mac, pairs_of
from alcor.values.dhcp_options import DhcpOption, option


def plan(
    port: PortRecord, local_ips: Iterable[LocalIpAssociationRecord] = ()
) -> Iterator[tuple[str, Port]]:
    """Its entries in the slices of its hosts; none while it is bound nowhere.

    Security groups are for ports with port security.
    `ValueError` when the record's text is no address.
    """
    if not port.host:
        return
    entry = _entry(port)._replace(local_ips=tuple(sorted(_local_ips(port, local_ips))))
    yield host_port_key(port.host, port.id), entry
    for host in port.waiting_hosts:
        yield host_port_key(host, port.id), entry._replace(waits=True)


def _entry(port: PortRecord) -> Port:
    return Port(
        id=port.id,
        network_id=port.network_id,
        mac=mac(port.mac_address),
        fixed_ips=tuple(
            FixedIp(fixed.subnet_id, address(fixed.ip_address)) for fixed in port.fixed_ips
        ),
        admin_state_up=port.admin_state_up,
        port_security=port.port_security_enabled,
        name=port.dns_name,
        device_id=port.device_id,
        security_groups=port.security_groups,
        filtered=port.port_security_enabled,
        address_pairs=pairs_of(port),
        dhcp_options=tuple(_dhcp_options(port)) if port.extra_dhcp_opts else (),
        project_id=port.project_id,
        parent_id=port.parent_id,
        vlan=port.segmentation_id,
        qos_policy_id=port.qos_policy_id,
        own_qos_only=port.device_owner.startswith("network:"),
    )


def _local_ips(
    port: PortRecord, associations: Iterable[LocalIpAssociationRecord]
) -> Iterator[LocalIp]:
    """Those that go to an address which the port has still."""
    held = {fixed.ip_address for fixed in port.fixed_ips}
    for each in associations:
        if each.fixed_ip in held:
            yield LocalIp(address(each.ip_address), address(each.fixed_ip), each.passthrough)


def _dhcp_options(port: PortRecord) -> Iterator[DhcpOption]:
    """What was asked for and can be said: the API refuses the rest, old records may hold it."""
    for each in port.extra_dhcp_opts:
        try:
            yield option(each.opt_name, each.opt_value, each.ip_version)
        except ValueError:
            continue
