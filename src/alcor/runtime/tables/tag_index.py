"""Which rows of a resource table have which tags: a table beside it, in the same database.

The database keeps it by triggers, in the transaction of whoever writes: also of code before this,
which knows no such table and goes on writing while a region is upgraded or after it was taken back.
A row without tags costs a look for `"tags":["` in its document.

A page by tags is read in order from this table (by its *leads*) where nothing else narrows the
list, or where the tag is rare; otherwise the list is read as without tags, and each row is looked
up here. Functions here run inside a transaction of the manager's `Database`. A row's id is called
`tagged` here, and its project `owner`, so that no name is also one of the resource's.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alcor.contracts.resources import Filter
from alcor.runtime.sql.migrations import Step

rare_rows_max = 1_000  # of a tag: reading and sorting them all costs less than a long search
leads_max = 20  # tags of one `tags-any`; of more, each row is looked up

_HAS_TAGS = 'instr({}, \'"tags":["\') > 0'  # or something in it has: then none is found


class Lead(NamedTuple):
    """What a part of a page is read from: rows that a condition on the tags' table holds for."""

    condition: str
    values: tuple[str, ...]


def schema_of(table: str) -> tuple[str, ...]:
    """Statements of a migration: the tags' table of a resource table, and what keeps it."""
    had, has = _HAS_TAGS.format("OLD.doc"), _HAS_TAGS.format("NEW.doc")
    remove = (
        f"DELETE FROM {table}_tag WHERE owner = OLD.project_id AND tagged = OLD.id "
        "AND tag IN (SELECT value FROM json_each(OLD.doc, '$.tags'));"
    )
    add = (
        f"INSERT INTO {table}_tag SELECT DISTINCT value, NEW.project_id, NEW.id "
        "FROM json_each(NEW.doc, '$.tags');"
    )
    return (
        f"CREATE TABLE {table}_tag (tag TEXT NOT NULL, owner TEXT NOT NULL, tagged TEXT NOT NULL, "
        "PRIMARY KEY (tag, owner, tagged)) WITHOUT ROWID",
        f"CREATE INDEX {table}_tag_tagged ON {table}_tag (tag, tagged)",
        f"CREATE TRIGGER {table}_tags_made AFTER INSERT ON {table} "
        f"FOR EACH ROW WHEN ({has}) BEGIN {add} END",
        f"CREATE TRIGGER {table}_tags_changed AFTER UPDATE OF doc ON {table} "
        f"FOR EACH ROW WHEN ({had} OR {has}) BEGIN {remove} {add} END",
        f"CREATE TRIGGER {table}_tags_gone AFTER DELETE ON {table} "
        f"FOR EACH ROW WHEN ({had}) BEGIN {remove} END",
    )


def step_of(table: str) -> Step:
    """For the migration after that one: the tags of rows that were there before."""
    statement = (
        f"INSERT OR IGNORE INTO {table}_tag SELECT DISTINCT value, {table}.project_id, {table}.id "
        f"FROM {table} CROSS JOIN json_each({table}.doc, '$.tags') "
        f"WHERE {table}.id > ? AND {table}.id <= ? AND {_HAS_TAGS.format(f'{table}.doc')}"
    )
    return Step(table, statement)


def condition(table: str, wanted: Filter) -> tuple[str, list[str]]:
    """SQL for a filter by tags of a row, which is looked up, and its values."""
    tags = [str(value) for value in wanted.values]
    one = f"EXISTS (SELECT 1 FROM {table}_tag WHERE tag = ? AND tagged = id)"
    found = " AND ".join([one] * len(tags))
    if wanted.field.endswith("-any"):
        found = one.replace("= ?", f"IN ({', '.join('?' * len(tags))})", 1)
    return (f"NOT ({found})" if wanted.field.startswith("not-") else f"({found})"), tags


def leads(
    connection: sqlite3.Connection,
    table: str,
    filters: Sequence[Filter],
    owner: str | None,
    *,
    is_plain: bool,
) -> list[Lead]:
    """What to read a list from, in parts that have no row in common; nothing: from the table.

    `owner` limits it to one project's. A list is plain when it is in order of id and nothing but
    tags and the owner narrows it.
    """
    tags = _led(connection, table, filters, owner)
    if not tags or len(tags) > leads_max:
        return []
    if not is_plain and _count(connection, table, tags, owner) > rare_rows_max:
        return []
    return list(_parts(table, tags, owner))


def _led(
    connection: sqlite3.Connection, table: str, filters: Sequence[Filter], owner: str | None
) -> list[str]:
    """Tags of which every row of the list has at least one."""
    for wanted in filters:
        if wanted.field == "tags":
            tags = [str(value) for value in wanted.values]
            if len(tags) == 1:
                return tags
            return [min(tags, key=lambda tag: _count(connection, table, [tag], owner))]
    return [str(v) for wanted in filters if wanted.field == "tags-any" for v in wanted.values]


def _count(
    connection: sqlite3.Connection, table: str, tags: Sequence[str], owner: str | None
) -> int:
    """How many rows have these tags, counted no further than needed."""
    marks = ", ".join("?" * len(tags))
    of_owner = "" if owner is None else " AND owner = ?"
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {table}_tag WHERE tag IN ({marks}){of_owner} "
        f"LIMIT {rare_rows_max + 1}) AS part",
        (*tags, *(() if owner is None else (owner,))),
    ).fetchone()
    return int(row[0])


def _parts(table: str, tags: Sequence[str], owner: str | None) -> Iterator[Lead]:
    of_owner = "" if owner is None else " AND owner = ?"
    whose = () if owner is None else (owner,)
    for i, tag in enumerate(tags):
        before = tags[:i]
        others = (
            f" AND NOT EXISTS (SELECT 1 FROM {table}_tag AS other WHERE other.tag IN "
            f"({', '.join('?' * i)}) AND other.tagged = {table}_tag.tagged)"
        )
        yield Lead(f"tag = ?{of_owner}{others if before else ''}", (tag, *whose, *before))
