"""Ranges of segmentation ids in the database, and the ids that segments have of them."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from alcor.intent.records import SegmentRangeRecord
from alcor.managers.network.model.segment import GENEVE, VLAN, VXLAN, vlan_max
from alcor.managers.network.model.segment_range import (
    Choice,
    SegmentRange,
    Source,
    Span,
    choice,
    free_number,
    places,
)
from alcor.runtime.managing.kept import Kept
from alcor.runtime.tables.resource_table import ResourceTable

vnis_read_max = 1_000  # at once


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


def next_vni(connection: sqlite3.Connection, project: str, whole: Span, *, own: bool) -> int:
    """The next VNI that the project may have, 0 when there is none; `own`: of its ranges, too."""
    found = choice_for(connection, project, None, whole)
    mine = found.own if own else ()
    return _next(connection, found._replace(own=mine), partial(_vnis, connection))


def next_vlan(connection: sqlite3.Connection, project: str, physical_network: str) -> int:
    """The next VLAN that the project may have, 0 when there is none."""
    found = choice_for(connection, project, physical_network, Span(1, vlan_max))
    return _next_vlan(connection, physical_network, found)


def next_place(connection: sqlite3.Connection, project: str) -> tuple[str, int] | None:
    """A physical network and its next VLAN that the project may have, 0 when all are taken; None:
    no range has any for it."""
    rows = RANGES.table.where(connection, "network_type = ?", (VLAN,))
    full = None
    for physical_network, found in places((RANGES.decode(row.doc) for row in rows), project):
        if vlan := _next_vlan(connection, physical_network, found):
            return physical_network, vlan
        full = physical_network, 0
    return full


def _next_vlan(connection: sqlite3.Connection, physical_network: str, found: Choice) -> int:
    return _next(
        connection,
        found,
        lambda span: (vlan for vlan, _ in _vlans(connection, physical_network, span)),
    )


def forget(connection: sqlite3.Connection, range_id: str) -> None:
    """The range is gone."""
    connection.execute("DELETE FROM segment_cursor WHERE source = ?", (range_id,))


def _next(
    connection: sqlite3.Connection, found: Choice, taken: Callable[[Span], Iterable[int]]
) -> int:
    """The next free id in turn of the first source that has one."""
    sources: list[tuple[Source, tuple[Span, ...]]] = [(each, ()) for each in found.own]
    sources += [(each, found.reserved) for each in found.everybodys]
    for (id_, span), reserved in sources:
        cursor = _cursor(connection, id_)
        for part in (Span(max(cursor, span.first), span.last), span):
            if number := free_number(part, taken(part), reserved):
                _set_cursor(connection, id_, number + 1)
                return number
    return 0


def _cursor(connection: sqlite3.Connection, source: str) -> int:
    statement = "SELECT next FROM segment_cursor WHERE source = ?"
    row = connection.execute(statement, (source,)).fetchone()
    return 0 if row is None else int(row[0])


def _set_cursor(connection: sqlite3.Connection, source: str, next_: int) -> None:
    connection.execute(
        "INSERT INTO segment_cursor (source, next) VALUES (?, ?) "
        "ON CONFLICT (source) DO UPDATE SET next = excluded.next",
        (source, next_),
    )


def used(connection: sqlite3.Connection, found: SegmentRange) -> dict[int, str]:
    """The ids of the range that networks have, and the projects of these."""
    if found.network_type == VLAN:
        return dict(_vlans(connection, found.physical_network or "", found.span))
    rows = connection.execute(
        "SELECT segment.vni, network.project_id FROM segment "
        "JOIN network ON network.id = segment.network_id "
        "WHERE segment.vni >= ? AND segment.vni <= ?",
        found.span,
    )
    return {int(vni): str(project) for vni, project in rows}


def _vnis(connection: sqlite3.Connection, span: Span) -> Iterator[int]:
    """In order; read a few at a time, as whoever looks for a gap soon finds one."""
    statement = "SELECT vni FROM segment WHERE vni >= ? AND vni <= ? ORDER BY vni LIMIT ?"
    first, last = span
    while rows := connection.execute(statement, (first, last, vnis_read_max)).fetchall():
        yield from (int(vni) for (vni,) in rows)
        first = int(rows[-1][0]) + 1


def _vlans(
    connection: sqlite3.Connection, physical_network: str, span: Span
) -> list[tuple[int, str]]:
    # A segment's row follows its VLAN's in the same transaction.
    rows = connection.execute(
        "SELECT vlan, COALESCE(network.project_id, '') FROM physical_segment "
        "LEFT JOIN segment ON segment.id = physical_segment.network_id "
        "LEFT JOIN network ON network.id = segment.network_id "
        "WHERE physical_segment.physical_network = ? AND vlan >= ? AND vlan <= ? ORDER BY vlan",
        (physical_network, *span),
    )
    return [(int(vlan), str(project)) for vlan, project in rows]
