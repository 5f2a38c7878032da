"""A bound port as every host of its network must know it: where its packets go."""

from collections.abc import Sequence

from alcor.goal_state.entries import AddressPair, Neighbour
from alcor.goal_state.slices import neighbour_key
from alcor.intent.records import NodeRecord, PortRecord
from alcor.planner.parsed import address, mac, pairs_of
from alcor.values.addresses import Prefix


def plan(
    port: PortRecord, node: NodeRecord | None, waiting: Sequence[NodeRecord] = ()
) -> tuple[str, Neighbour] | None:
    """Its entry in its network's slice; none while it has no host whose tunnel end is known.

    The hosts that its machine is moved to, or has come from, get copies of its packets.

    `ValueError` when a record's text is no address.
    """
    if not port.host or node is None:
        return None
    return neighbour_key(port.network_id, port.id), Neighbour(
        port_id=port.id,
        network_id=port.network_id,
        mac=mac(port.mac_address),
        addresses=tuple(address(fixed.ip_address) for fixed in port.fixed_ips),
        host=port.host,
        tunnel_endpoint=address(node.tunnel_ip),
        pairs=pairs_of(port) if port.port_security_enabled else _anything(port),
        also=tuple(address(each.tunnel_ip) for each in waiting),
    )


def _anything(port: PortRecord) -> tuple[AddressPair, ...]:
    """Without port security a machine may have any address, with whatever MAC."""
    return tuple(AddressPair(Prefix(version, 0, 0), mac(port.mac_address)) for version in (4, 6))
