"""Which VLANs of which physical networks are taken: within the transaction that makes a network."""

import sqlite3

import msgspec

from alcor.managers.network.model.network import Network, NoNetworkAvailable
from alcor.managers.network.model.segment import FLAT, FlatNetworkInUse, VlanIdInUse
from alcor.managers.network.tables import ranges as range_table

_UNTAGGED = 0


def take(connection: sqlite3.Connection, network: Network) -> Network:
    """The network with the VLAN that it asked for, or the next that is free for its project."""
    physical = network.physical_network
    if physical is None:
        return network
    if network.network_type == FLAT:
        if not _insert(connection, physical, _UNTAGGED, network.id):
            raise FlatNetworkInUse(physical)
        return network
    vlan = network.segmentation_id
    vlan = vlan or range_table.next_vlan(connection, network.project_id, physical)
    if not vlan:
        raise NoNetworkAvailable("Unable to create the network. No tenant network is available.")
    if not _insert(connection, physical, vlan, network.id):
        raise VlanIdInUse(vlan, physical)
    return msgspec.structs.replace(network, segmentation_id=vlan)


def give_back(connection: sqlite3.Connection, network_id: str) -> None:
    """The network is gone."""
    connection.execute("DELETE FROM physical_segment WHERE network_id = ?", (network_id,))


def _insert(connection: sqlite3.Connection, physical: str, vlan: int, network_id: str) -> bool:
    statement = "SELECT 1 FROM physical_segment WHERE physical_network = ? AND vlan = ?"
    if connection.execute(statement, (physical, vlan)).fetchone() is not None:
        return False
    connection.execute(
        "INSERT INTO physical_segment (physical_network, vlan, network_id) VALUES (?, ?, ?)",
        (physical, vlan, network_id),
    )
    return True
