"""What operators say of networks' segments, beside the networks' rows."""

import sqlite3
from collections.abc import Sequence

import msgspec

from alcor.runtime.sql.database import each_of


class SegmentNote(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a segment; nobody has said anything at revision 0."""

    id: str
    name: str | None = None
    description: str = ""
    revision_number: int = 0
    updated_at: str = ""


def note_of(connection: sqlite3.Connection, id_: str) -> SegmentNote:
    """What is said of one segment."""
    return of_networks(connection, [id_]).get(id_, SegmentNote(id=id_))


def of_networks(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, SegmentNote]:
    """What is said of those of the segments of which anything is."""
    rows = connection.execute(
        "SELECT network_id, name, description, revision_number, updated_at FROM segment_note "
        "WHERE network_id IN (SELECT value FROM json_each(?))",
        (each_of(ids),),
    )
    notes = (
        SegmentNote(
            id=id_, name=name, description=description, revision_number=number, updated_at=at
        )
        for id_, name, description, number, at in rows
    )
    return {note.id: note for note in notes}


def said(connection: sqlite3.Connection, field: str, texts: Sequence[object]) -> tuple[str, ...]:
    """The networks of whose segments one of these is said; a `field` that a note has."""
    rows = connection.execute(
        f"SELECT network_id FROM segment_note WHERE {field} IN (SELECT value FROM json_each(?))",
        (each_of(texts),),
    )
    return tuple(id_ for (id_,) in rows)


def save(connection: sqlite3.Connection, note: SegmentNote) -> None:
    """This is said now."""
    forget(connection, note.id)
    connection.execute(
        "INSERT INTO segment_note VALUES (?, ?, ?, ?, ?)",
        (note.id, note.name, note.description, note.revision_number, note.updated_at),
    )


def forget(connection: sqlite3.Connection, network_id: str) -> None:
    """The network is gone."""
    connection.execute("DELETE FROM segment_note WHERE network_id = ?", (network_id,))
