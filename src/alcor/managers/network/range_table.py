"""Ranges of segmentation ids in the database, and the ids that networks have of them."""

import sqlite3
from collections.abc import Iterator

from alcor.intent.records import SegmentRangeRecord
from alcor.managers.network.segment import GENEVE, VLAN, VXLAN
from alcor.managers.network.segment_range import (
    Choice,
    SegmentRange,
    Span,
    choice,
    free_number,
)
from alcor.runtime.kept import Kept
from alcor.runtime.resource_table import ResourceTable


def record(found: SegmentRange) -> SegmentRangeRecord:
    """What the intent log is told of a range."""
    return SegmentRangeRecord(
        id=found.id,
        project_id=found.project_id or "",
        network_type=found.network_type,
        physical_network=found.physical_network or "",
        minimum=found.minimum,
        maximum=found.maximum,
    )


RANGES = Kept(
    "network_segment_range",
    ResourceTable(
        "network_segment_range",
        "NetworkSegmentRange",
        ("project_id", "name", "network_type", "shared"),
        nullable=frozenset({"project_id"}),
    ),
    SegmentRange,
    record,
)


def choice_for(
    connection: sqlite3.Connection, project: str, physical_network: str | None, whole: Span
) -> Choice:
    """Where a network of the project finds its VLAN, or without a physical network its VNI."""
    types = (VXLAN, GENEVE) if physical_network is None else (VLAN, VLAN)
    rows = RANGES.table.where(connection, "network_type IN (?, ?)", types)
    return choice((RANGES.decode(row.doc) for row in rows), project, physical_network, whole)


def free_vni(connection: sqlite3.Connection, span: Span, reserved: tuple[Span, ...]) -> int:
    """The first VNI of the span that nobody has, 0 when there is none."""
    return free_number(span, _vnis(connection, span), reserved)


def free_vlan(connection: sqlite3.Connection, physical_network: str, found: Choice) -> int:
    """The first VLAN that the choice leaves, 0 when there is none."""
    spans: list[tuple[Span, tuple[Span, ...]]] = [(span, ()) for span in found.own]
    spans += [(span, found.reserved) for span in found.everybodys]
    for span, reserved in spans:
        taken = _vlans(connection, physical_network, span)
        if number := free_number(span, (vlan for vlan, _ in taken), reserved):
            return number
    return 0


def used(connection: sqlite3.Connection, found: SegmentRange) -> dict[int, str]:
    """The ids of the range that networks have, and the projects of these."""
    if found.network_type == VLAN:
        return dict(_vlans(connection, found.physical_network or "", found.span))
    rows = connection.execute(
        "SELECT vni, project_id FROM network WHERE vni >= ? AND vni <= ?", found.span
    )
    return {int(vni): str(project) for vni, project in rows}


def _vnis(connection: sqlite3.Connection, span: Span) -> Iterator[int]:
    statement = "SELECT vni FROM network WHERE vni >= ? AND vni <= ? ORDER BY vni"
    return (vni for (vni,) in connection.execute(statement, span))


def _vlans(
    connection: sqlite3.Connection, physical_network: str, span: Span
) -> list[tuple[int, str]]:
    # A network's row follows its VLAN's in the same transaction.
    rows = connection.execute(
        "SELECT vlan, COALESCE(network.project_id, '') FROM physical_segment "
        "LEFT JOIN network ON network.id = physical_segment.network_id "
        "WHERE physical_network = ? AND vlan >= ? AND vlan <= ? ORDER BY vlan",
        (physical_network, *span),
    )
    return [(int(vlan), str(project)) for vlan, project in rows]
