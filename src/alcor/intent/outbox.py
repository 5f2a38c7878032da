"""The outbox: what a transaction changes and what the log will be told are saved as one.

Every manager's database has these two tables. A manager's `sequence` grows by one with every
change that it saves, in order of commit; it is the revision of the record in the intent log and,
with the manager's name, the revision that a client waits for.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from prometheus_client import Counter

from alcor.keyed_log.log import Change
from alcor.values.errors import Kind, Refusal
from alcor.values.rows import insertions

record_bytes_max = 512 << 10  # of one record; a NATS server takes messages of 1 MiB by default

refused = Counter("alcor_records_too_large", "Changes refused: their record was too large.")

SCHEMA = (
    "CREATE TABLE sequence (last INTEGER NOT NULL)",
    "INSERT INTO sequence VALUES (0)",
    "CREATE TABLE outbox (sequence INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB, "
    "trace TEXT NOT NULL)",
)


class Told(NamedTuple):
    """One record for the log: None means gone."""

    key: str
    value: bytes | None


def take(connection: sqlite3.Connection, count: int) -> int:
    """Take the next `count` sequences; return the first of them."""
    (last,) = connection.execute(
        "UPDATE sequence SET last = last + ? RETURNING last", (count,)
    ).fetchone()
    return int(last) - count + 1


def tell(connection: sqlite3.Connection, first: int, told: Sequence[Told], trace: str) -> int:
    """Save what the log shall be told, under sequences from `first`; return the last one."""
    save(connection, [Change(*each, sequence, trace) for sequence, each in enumerate(told, first)])
    return first + len(told) - 1


def save(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Save what the log shall be told; the revision of each is a sequence that was taken for it.
    A `Refusal` when one is larger than what a log takes: nothing of the transaction is saved."""
    for change in changes:
        if change.value is not None and len(change.value) > record_bytes_max:
            refused.inc()
            kind = change.key.partition("/")[0]
            message = f"The {kind} would be larger than the {record_bytes_max} bytes it may have."
            raise Refusal(message, type="HTTPRequestEntityTooLarge", kind=Kind.TOO_LARGE)
    for insertion in insertions("outbox", "key, value, sequence, trace", changes):
        connection.execute(*insertion)


def pending(connection: sqlite3.Connection, after: int, limit: int) -> list[Change]:
    """What the log has not been told, in order of commit."""
    rows = connection.execute(
        "SELECT key, value, sequence, trace FROM outbox "
        "WHERE sequence > ? ORDER BY sequence LIMIT ?",
        (after, limit),
    )
    return [Change(*row) for row in rows]


def forget(connection: sqlite3.Connection, until: int, after: int = 0) -> int:
    """Drop what the log has been told, up to and with `until`; how many rows that were. Nothing is
    left up to and with `after`: PostgreSQL would go over all that was there, until it is vacuumed.
    """
    statement = "DELETE FROM outbox WHERE sequence > ? AND sequence <= ?"
    return connection.execute(statement, (after, until)).rowcount


def last(connection: sqlite3.Connection) -> int:
    """The sequence of the last change saved; 0 before the first."""
    (value,) = connection.execute("SELECT last FROM sequence").fetchone()
    return int(value)


def skip(connection: sqlite3.Connection, until: int) -> None:
    """Take no sequence up to and with `until`, which the log has had, and drop what it was told."""
    forget(connection, until)
    connection.execute("UPDATE sequence SET last = ? WHERE last < ?", (until, until))
