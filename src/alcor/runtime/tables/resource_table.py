"""A manager's table of resources: one row each, with its public JSON beside what is searched often.

The row: `id`, the table's own columns (unique, indexed or often filtered), `sequence` (of its last
intent) and `doc` (the resource as clients see it). Functions here run inside a transaction of the
manager's `Database`. Pages go by key, never by offset: the cost of a page of the default order
does not grow with the table. Fields without a column are read out of `doc`.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

import msgspec

from alcor.contracts.resources import CHANGED_SINCE, TAG_FILTERS, Filter, ListQuery, Sort
from alcor.runtime.sql.database import DuplicateKey, each_of
from alcor.runtime.tables import scattered_index, tag_index, usage
from alcor.values.errors import NotFound
from alcor.values.rows import insertions

Sql = str | int | None  # what a column holds

parameters_max = 500  # of one statement of ours; SQLite takes 32,766


class Row(NamedTuple):
    """A row of a resource table; `columns` and `kept` in the order of the table's."""

    id: str
    columns: tuple[Sql, ...]
    sequence: int
    doc: bytes
    kept: tuple[Sql, ...] = ()  # only of rows to be inserted


class Also(NamedTuple):
    """A condition in SQL and its values: of rows that are seen though they are not the project's,
    or that all rows of a page must fulfil."""

    condition: str
    values: tuple[Sql, ...] = ()


class _Source(NamedTuple):
    """What a part of a page is read from: tables, the name of the id there, and a condition."""

    tables: str
    id: str
    condition: str
    values: tuple[Sql, ...]


class Taken(Exception):
    """A row with these columns' values is there already (a unique index of `table` says so)."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__(", ".join(columns))
        self.columns = columns


@dataclass(frozen=True)
class ResourceTable:
    """Which columns a table has, and how a missing marker is refused.

    `columns` are NOT NULL unless named in `nullable`; `column_by_field` has those whose field is
    called otherwise. The indexes of `sparse` ones leave out the empty text. `conditions` are
    filters that are no field: SQL with `{}` where the placeholders of the values go. `kept` columns
    are set when a row is made, and neither read nor changed here.

    `counted` tables keep count of the rows of each project (`usage.py`), and of `tagged` ones an
    index is kept by tag (`tag_index.py`): both have `project_id`. Tags of others are looked for in
    the documents. `scattered` columns have tables for an index (`scattered_index.py`): of several
    that a list is filtered by, the first one leads.
    """

    name: str
    title: str  # Network: a marker that is missing is `NetworkNotFound`
    columns: Sequence[str] = ()
    nullable: frozenset[str] = frozenset()
    conditions: Mapping[str, str] = field(default_factory=dict)
    column_by_field: Mapping[str, str] = field(default_factory=dict)
    sparse: frozenset[str] = frozenset()
    kept: Sequence[str] = ()
    counted: bool = False
    tagged: bool = False
    scattered: Sequence[str] = ()

    @cached_property
    def _selected(self) -> str:
        # The document is handed on as bytes: nobody here needs it as text.
        return ", ".join(["id", *self.columns, "sequence", "CAST(doc AS BLOB)"])

    def insert(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        """Add rows; `Taken` when one breaks a unique index: let it undo the transaction."""
        names = ", ".join(["id", *self.columns, "sequence", "doc", *self.kept])
        values = [(id_, *some, n, doc.decode(), *kept) for id_, some, n, doc, kept in rows]
        for insertion in insertions(self.name, names, values):
            _unique(partial(connection.execute, *insertion))
        if self.counted:
            column = self.columns.index("project_id")
            usage.add(connection, self.name, Counter(str(row.columns[column]) for row in rows))

    def replace(
        self,
        connection: sqlite3.Connection,
        rows: Sequence[Row],
        held: Mapping[str, tuple[Sql, ...]] | None = None,
    ) -> None:
        """Change rows that exist, found by id; `Taken` as for `insert`. `held` are the columns as
        they are, by id; they are read where the caller does not know them.

        Only columns that differ are set: SQLite writes every index of a column that a statement
        sets, whatever the value.
        """
        if held is None:
            before = self.rows(connection, [row.id for row in rows])
            held = {id_: row.columns for id_, row in before.items()}
        for row in rows:
            both = zip(self.columns, row.columns, held[row.id], strict=True)
            changes = {name: new for name, new, old in both if new != old}
            changes |= {"sequence": row.sequence, "doc": row.doc.decode()}
            statement = f"UPDATE {self.name} SET {', '.join(f'{name} = ?' for name in changes)}"
            values = (*changes.values(), row.id)
            _unique(partial(connection.execute, f"{statement} WHERE id = ?", values))

    def delete(self, connection: sqlite3.Connection, ids: Iterable[str]) -> None:
        """Remove rows; one that is not there is no error."""
        statement = f"DELETE FROM {self.name} WHERE id IN (SELECT value FROM json_each(?))"
        values = (each_of(ids),)
        if not self.counted:
            connection.execute(statement, values)
            return
        gone = connection.execute(f"{statement} RETURNING project_id", values).fetchall()
        counts = Counter(project for (project,) in gone)
        usage.add(connection, self.name, {project: -n for project, n in counts.items()})

    def rows(self, connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Row]:
        """Those of the ids that exist."""
        found: dict[str, Row] = {}
        for i in range(0, len(ids), parameters_max):
            some = ids[i : i + parameters_max]
            condition = f"id IN ({_marks(some)})"
            for row in self.where(connection, condition, tuple(some)):
                found[row.id] = row
        return found

    def row(self, connection: sqlite3.Connection, id_: str) -> Row | None:
        """The row of one id."""
        return self.rows(connection, [id_]).get(id_)

    def where(
        self, connection: sqlite3.Connection, condition: str, values: tuple[Sql, ...]
    ) -> list[Row]:
        """The rows for which an SQL condition (and order, and limit) of the manager's own holds."""
        cursor = connection.execute(
            f"SELECT {self._selected} FROM {self.name} WHERE {condition}", values
        )
        return [Row(r[0], r[1:-2], r[-2], r[-1]) for r in cursor]

    def living(self, connection: sqlite3.Connection, after: str, limit: int) -> list[Row]:
        """The rows after an id in order of id: for going over the whole table in steps."""
        return self.where(connection, "id > ? ORDER BY id LIMIT ?", (after, limit))

    def page(
        self,
        connection: sqlite3.Connection,
        query: ListQuery,
        project: str | None = None,
        also: Sequence[Also] = (),
        only: Sequence[Also] = (),
    ) -> list[msgspec.Raw]:
        """The documents of a page, in order; with `project`, its own and what it sees `also`.

        All fulfil `only`. `<Title>NotFound` when the marker names nothing.
        """
        conditions, values = self._filters(query.filters)
        for condition, some in only:
            conditions.append(condition)
            values += some
        keys = _order(query.sorts)
        marker = self._marker(connection, query, keys)
        parts: list[str] = []
        all_values: list[Sql] = []
        only_tags = keys[0].field == "id" and not only
        seen = _disjoint(project, also)
        for source in self._sources(connection, query, seen, project, only_tags=only_tags):
            names = [self._key(s, source.id) for s in keys]
            beyond, bounds = _beyond(query, keys, names, marker)
            where = " AND ".join(filter(None, [source.condition, *conditions, beyond]))
            parts.append(
                f"SELECT CAST(doc AS BLOB), {', '.join(names)} FROM {source.tables}"
                + (f" WHERE {where}" if where else "")
            )
            all_values += [*source.values, *values, *bounds]
        order = ", ".join(
            f"{i} {'DESC' if s.descending != query.reverse else 'ASC'}"
            for i, s in enumerate(keys, 2)
        )
        limit = f" LIMIT {int(query.limit)}" if query.limit else ""
        # Each part is read in order from an index of its own, and the parts are merged.
        cursor = connection.execute(
            f"{' UNION ALL '.join(parts)} ORDER BY {order}{limit}", all_values
        )
        documents = [msgspec.Raw(row[0]) for row in cursor]
        return documents[::-1] if query.reverse else documents

    def expression(self, name: str) -> str:
        """SQL for the value of a field: its column, or out of the document."""
        column = self.column_by_field.get(name, name)
        if column == "id" or column in self.columns:
            return column
        assert re.fullmatch(r"[\w:.-]+", name), name
        return f"json_extract(doc, '$.\"{name}\"')"

    def _sources(
        self,
        connection: sqlite3.Connection,
        query: ListQuery,
        seen: Iterable[Also],
        project: str | None,
        *,
        only_tags: bool,
    ) -> Iterator[_Source]:
        """What the parts of a page are read from, each for one of the conditions `seen`."""
        wanted = [f for f in query.filters if self.tagged and f.field in TAG_FILTERS]
        only_tags &= len(wanted) == len(query.filters)
        tables = f"{self.name}_tag CROSS JOIN {self.name} ON id = tagged"
        for number, (condition, values) in enumerate(seen):
            owner = None if number else project  # the first part is what is theirs
            is_plain = only_tags and not number
            leads = tag_index.leads(connection, self.name, wanted, owner, is_plain=is_plain)
            for lead in leads:
                both = " AND ".join(filter(None, [lead.condition, condition]))
                yield _Source(tables, "tagged", both, (*lead.values, *values))
            if not leads:
                yield from self._by_value(query.filters, Also(condition, values))

    def _by_value(self, filters: Sequence[Filter], seen: Also) -> Iterator[_Source]:
        """What is read where no tag leads: the table, or the index of a scattered column."""
        leads = scattered_index.leads(self.name, self.scattered, filters)
        for table, condition, values in leads:
            tables = f"{table} CROSS JOIN {self.name} ON id = holder"
            both = " AND ".join(filter(None, [condition, seen.condition]))
            yield _Source(tables, "holder", both, (*values, *seen.values))
        if not leads:
            yield _Source(self.name, "id", *seen)

    def _key(self, sort: Sort, id_: str = "id") -> str:
        """SQL of a sort key; null counts as the empty text, so that every two rows compare."""
        expression = self.expression(sort.field)
        if expression == "id":
            return id_
        if expression in self.columns and expression not in self.nullable:
            return expression
        return f"ifnull({expression}, '')"

    def _filters(self, filters: Sequence[Filter]) -> tuple[list[str], list[Sql]]:
        conditions: list[str] = []
        values: list[Sql] = []
        for wanted in filters:
            condition, some = self._filter(wanted)
            conditions.append(condition)
            values += some
        return conditions, values

    def _filter(self, wanted: Filter) -> tuple[str, list[Sql]]:
        values: list[Sql] = [value for value in wanted.values if value is not None]
        if wanted.field in self.conditions:
            return self.conditions[wanted.field].format(_marks(values)), values
        if wanted.field in TAG_FILTERS and self.tagged:
            condition, tags = tag_index.condition(self.name, wanted)
            return condition, [*tags]
        if wanted.field in TAG_FILTERS:
            return _of_tags(wanted.field, len(values)), values
        if wanted.field == CHANGED_SINCE:
            return f"{self.expression('updated_at')} >= ?", values
        expression = self.expression(wanted.field)
        if expression.startswith("json_extract"):  # of any type: compare as text
            expression = f"CAST({expression} AS TEXT)"
            values = [
                str(int(value)) if isinstance(value, bool) else str(value) for value in values
            ]
        # One value by equality: then an index on (column, id) also gives the order of the page.
        comparison = "= ?" if len(values) == 1 else f"IN ({_marks(values)})"
        if expression in self.sparse and "" not in values:
            comparison += f" AND {expression} <> ''"  # said aloud, or its index is not used
        alternatives = [f"{expression} {comparison}"] if values else []
        if None in wanted.values:
            alternatives.append(f"{expression} IS NULL")
        return f"({' OR '.join(alternatives) or '1 = 0'})", values

    def _marker(
        self, connection: sqlite3.Connection, query: ListQuery, keys: Sequence[Sort]
    ) -> Sequence[Sql]:
        """The values of the sort keys of the row that a page comes after; empty: from the first."""
        if not query.marker:
            return ()
        names = ", ".join(map(self._key, keys))
        found: Sequence[Sql] | None = connection.execute(
            f"SELECT {names} FROM {self.name} WHERE id = ?", (query.marker,)
        ).fetchone()
        if found is None:
            raise missing(self.title, query.marker)
        return found


def missing(title: str, id_: str) -> NotFound:
    """The refusal of an id that names nothing, or nothing of theirs."""
    return NotFound(f"{title} {id_[:255]} could not be found.", type=f"{title}NotFound")


def _order(sorts: Sequence[Sort]) -> Sequence[Sort]:
    """The sort keys up to the id, which is always the last: so no two rows are equal."""
    for i, sort in enumerate(sorts):
        if sort.field == "id":
            return sorts[: i + 1]
    return (*sorts, Sort("id"))


def _beyond(
    query: ListQuery, keys: Sequence[Sort], names: Sequence[str], marker: Sequence[Sql]
) -> tuple[str, list[Sql]]:
    """SQL for "after the marker": (a > ?) OR (a = ? AND b > ?) OR ..."""
    if not marker:
        return "", []
    alternatives: list[str] = []
    values: list[Sql] = []
    for i, (sort, name) in enumerate(zip(keys, names, strict=True)):
        comparison = "<" if sort.descending != query.reverse else ">"
        equal = [f"{before} = ?" for before in names[:i]]
        alternatives.append(" AND ".join([*equal, f"{name} {comparison} ?"]))
        values += marker[: i + 1]
    return f"({' OR '.join(alternatives)})", values


def _disjoint(project: str | None, also: Sequence[Also]) -> Iterator[Also]:
    """What is seen, as conditions of which every row fulfils at most one; "": everything."""
    if project is None:
        yield Also("")
        return
    own = Also("project_id = ?", (project,))
    yield own
    before = [Also("project_id <> ?", (project,))]
    for each in also:
        conditions = [each.condition, *(other.condition for other in before)]
        values = [*each.values, *(v for other in before for v in other.values)]
        yield Also(" AND ".join(conditions), tuple(values))
        before.append(Also(f"NOT ({each.condition})", each.values))


def _of_tags(name: str, count: int) -> str:
    """SQL for a filter by `count` tags, which are a list in the document."""
    one = "EXISTS (SELECT 1 FROM json_each(doc, '$.tags') WHERE value = ?)"
    together = " OR " if name.endswith("-any") else " AND "
    condition = f"({together.join([one] * count)})"
    return f"NOT {condition}" if name.startswith("not-") else condition


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _unique(work: Callable[[], object]) -> None:
    try:
        work()
    except DuplicateKey as error:
        raise Taken(error.columns) from None
    except sqlite3.IntegrityError as error:
        _, found, columns = str(error).partition("UNIQUE constraint failed: ")
        if not found:
            raise
        raise Taken(tuple(c.rpartition(".")[2] for c in columns.split(", "))) from None
