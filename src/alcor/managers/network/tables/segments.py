"""The segments of networks in the database, and the VLANs and VNIs that they have.

The row of a network's first segment is made and deleted in the transactions that make and delete
the network. A further one is told to the intent log whenever its network is.
"""

import sqlite3
from collections.abc import Sequence

import msgspec

from alcor.managers.network.model.network import Limits, Network, NoNetworkAvailable
from alcor.managers.network.model.network_segment import NetworkSegment, first, numbered
from alcor.managers.network.model.segment import (
    FLAT,
    TUNNELS,
    VLAN,
    FlatNetworkInUse,
    VlanIdInUse,
)
from alcor.managers.network.model.segment_range import Span
from alcor.managers.network.tables import ranges as range_table
from alcor.runtime.sql.database import each_of
from alcor.runtime.tables.resource_table import ResourceTable, Row
from alcor.values.errors import InvalidInput

TABLE = ResourceTable(
    "segment",
    "Segment",
    ("network_id", "network_type", "physical_network", "vni", "name"),
    nullable=frozenset({"physical_network", "name"}),
)
filled_at_once = 500  # networks that lacked the rows of their segments

_UNTAGGED = 0
_NO_RANGE = (
    "No physical network has a range of VLANs for this project. Name a physical_network, "
    "or have an administrator make a network segment range."
)
_NO_NETWORK = "Unable to create the network. No tenant network is available."
_NO_VNI = "Unable to create the network. No VNI is available."
_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(NetworkSegment).decode
_decode_network = msgspec.json.Decoder(Network).decode


def row_of(segment: NetworkSegment, sequence: int = 0) -> Row:
    """The row that keeps a segment; the sequence is that of its record, if it has one."""
    columns = (
        *(segment.network_id, segment.network_type, segment.physical_network),
        *(segment.vni, segment.name),
    )
    return Row(segment.id, columns, sequence, _encode(segment))


def of_network(connection: sqlite3.Connection, network_id: str) -> list[NetworkSegment]:
    """The segments of a network: the first one, then the others in order of age."""
    rows = TABLE.where(connection, "network_id = ? ORDER BY id", (network_id,))
    return sorted((decode(row.doc) for row in rows), key=lambda each: not each.is_first)


def tell_later(connection: sqlite3.Connection, ids: Sequence[str], first_sequence: int) -> None:
    """Their records are told under sequences from this one."""
    for sequence, id_ in enumerate(ids, first_sequence):
        connection.execute("UPDATE segment SET sequence = ? WHERE id = ?", (sequence, id_))


def placed(
    connection: sqlite3.Connection, wanted: NetworkSegment, project: str, limits: Limits
) -> NetworkSegment:
    """The segment with the ids that it asked for, or the next that are free for its project."""
    if wanted.network_type == VLAN and wanted.physical_network is None:
        wanted = _anywhere(connection, wanted, project)
    segmentation_id = _on_wire(connection, wanted, project)
    found = msgspec.structs.replace(wanted, segmentation_id=segmentation_id)
    if found.vni:
        return found
    whole = Span(limits.vni_min, limits.vni_max)
    own = found.network_type in TUNNELS
    if vni := range_table.next_vni(connection, project, whole, own=own):
        return numbered(found, vni)
    raise NoNetworkAvailable(_NO_VNI)


def _anywhere(
    connection: sqlite3.Connection, wanted: NetworkSegment, project: str
) -> NetworkSegment:
    """The segment as a VLAN of one of the physical networks that have ranges."""
    found = range_table.next_place(connection, project)
    if found is None:
        raise InvalidInput(_NO_RANGE)
    physical_network, vlan = found
    if not vlan:
        raise NoNetworkAvailable(_NO_NETWORK)
    return msgspec.structs.replace(wanted, physical_network=physical_network, segmentation_id=vlan)


def _on_wire(connection: sqlite3.Connection, wanted: NetworkSegment, project: str) -> int | None:
    """The segmentation id, which the segment has now, if it is one of a physical network."""
    physical, vlan = wanted.physical_network, wanted.segmentation_id
    if physical is None:
        return vlan
    if wanted.network_type == FLAT:
        if not _insert(connection, physical, _UNTAGGED, wanted.id):
            raise FlatNetworkInUse(physical)
        return vlan
    vlan = vlan or range_table.next_vlan(connection, project, physical)
    if not vlan:
        raise NoNetworkAvailable(_NO_NETWORK)
    if not _insert(connection, physical, vlan, wanted.id):
        raise VlanIdInUse(vlan, physical)
    return vlan


def retag(connection: sqlite3.Connection, network: Network) -> None:
    """A network of one segment, which is a VLAN, has another VLAN id from now on."""
    (row,) = TABLE.where(connection, "id = ?", (network.id,))
    connection.execute("DELETE FROM physical_segment WHERE network_id = ?", (network.id,))
    new = msgspec.structs.replace(decode(row.doc), segmentation_id=network.segmentation_id)
    _on_wire(connection, new, network.project_id)
    TABLE.replace(connection, [row_of(new, row.sequence)])


def remove(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """These segments are gone, and what they had is free."""
    TABLE.delete(connection, ids)
    # The column has the ids of segments; a first one has its network's.
    statement = "DELETE FROM physical_segment WHERE network_id IN (SELECT value FROM json_each(?))"
    connection.execute(statement, (each_of(ids),))


def fill(connection: sqlite3.Connection) -> int:
    """Add rows of first segments that are missing, at most so many at once, and drop those whose
    networks are gone; how many were missing."""
    connection.execute("DELETE FROM segment WHERE network_id NOT IN (SELECT id FROM network)")
    rows = connection.execute(
        "SELECT CAST(network.doc AS BLOB), network.vni, segment_note.name, "
        "segment_note.description, segment_note.revision_number, segment_note.updated_at "
        "FROM network LEFT JOIN segment_note ON segment_note.network_id = network.id "
        "WHERE network.id NOT IN (SELECT id FROM segment) ORDER BY network.id LIMIT ?",
        (filled_at_once,),
    ).fetchall()
    TABLE.insert(connection, [row_of(_of_before(*row)) for row in rows])
    return len(rows)


def _of_before(
    doc: bytes,
    vni: int,
    name: str | None,
    description: str | None,
    revision: int | None,
    updated_at: str | None,
) -> NetworkSegment:
    """The first segment of a network that had none, with what was said of it."""
    network = msgspec.structs.replace(_decode_network(doc), vni=vni)
    return msgspec.structs.replace(
        first(network),
        name=name,
        description=description or "",
        revision_number=revision or 0,
        updated_at=updated_at or network.created_at,
    )


def _insert(connection: sqlite3.Connection, physical: str, vlan: int, segment_id: str) -> bool:
    statement = "SELECT 1 FROM physical_segment WHERE physical_network = ? AND vlan = ?"
    if connection.execute(statement, (physical, vlan)).fetchone() is not None:
        return False
    connection.execute(
        "INSERT INTO physical_segment (physical_network, vlan, network_id) VALUES (?, ?, ?)",
        (physical, vlan, segment_id),
    )
    return True
