"""How much of each kind a project uses, counted in the transaction that makes or removes it.

A manager's database has a row a kind and project. `ResourceTable` keeps it for tables that are
`counted`; a manager calls `check` after it has inserted, in the same transaction, so that what
would exceed the project's limit is undone. SQLite has one writer: a limit is never passed, whatever
comes together. A batch costs one statement a kind, not one a row.

Source of the refusal: neutron_lib.exceptions, OverQuota.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping

from alcor.contracts.peers import ProjectUsage, Usage
from alcor.runtime.observability.metrics import limit_reached
from alcor.runtime.sql.database import Database, each_of
from alcor.values.errors import Conflict

Limit = Callable[[str, str], int]  # of a kind, for a project; -1: none

SCHEMA = (
    "CREATE TABLE used (kind TEXT NOT NULL, project_id TEXT NOT NULL, count INTEGER NOT NULL, "
    "PRIMARY KEY (kind, project_id)) WITHOUT ROWID",
)


class OverQuota(Conflict):
    """A project would have more of a kind than it may."""

    def __init__(self, kinds: Iterable[str]) -> None:
        super().__init__(f"Quota exceeded for resources: {sorted(kinds)}.")


class UsageReader:
    """Keeps the contract UsagePeer for one manager's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def usage(self, request: ProjectUsage) -> Usage:
        return Usage(await self._database.read(lambda c: of_project(c, request.project_id)))


def schema_of(*kinds: str) -> tuple[str, ...]:
    """Statements of a migration: the table, with what the tables of these names hold already."""
    counted = (
        f"INSERT INTO used SELECT '{kind}', project_id, count(*) FROM {kind} GROUP BY project_id"
        for kind in kinds
    )
    return (*SCHEMA, *counted)


def unlimited(kind: str, project: str) -> int:
    """A `Limit` where there are none."""
    return -1


def add(connection: sqlite3.Connection, kind: str, change_by_project: Mapping[str, int]) -> None:
    """Count more (or less) of a kind."""
    connection.executemany(
        "INSERT INTO used VALUES (?, ?, ?) "
        "ON CONFLICT (kind, project_id) DO UPDATE SET count = used.count + excluded.count",
        [(kind, project, change) for project, change in change_by_project.items()],
    )


def used(connection: sqlite3.Connection, kind: str, projects: Iterable[str]) -> dict[str, int]:
    """How many of a kind each of these projects has."""
    found = dict.fromkeys(projects, 0)
    rows = connection.execute(
        "SELECT project_id, count FROM json_each(?) CROSS JOIN used "
        "ON kind = ? AND project_id = value",
        (each_of(found), kind),
    )
    return found | dict(rows)


def of_project(connection: sqlite3.Connection, project: str) -> dict[str, int]:
    """How much of every kind a project has; kinds of which it never had one are left out."""
    statement = "SELECT kind, count FROM used WHERE project_id = ?"
    return dict(connection.execute(statement, (project,)))


def check(connection: sqlite3.Connection, kind: str, projects: Iterable[str], limit: Limit) -> None:
    """After inserting, refuse what has made one of these projects exceed its limit."""
    for project, count in used(connection, kind, projects).items():
        if 0 <= limit(kind, project) < count:
            limit_reached.labels(f"quota.{kind}").inc()
            raise OverQuota([kind])


def room(
    connection: sqlite3.Connection, kind: str, projects: Iterable[str], limit: Limit
) -> dict[str, int]:
    """How many more of a kind each of these projects may have; a project without limit is left
    out. For who decides about several requests in one transaction, before inserting."""
    limits = {project: limit(kind, project) for project in projects}
    limits = {project: most for project, most in limits.items() if most >= 0}
    if not limits:
        return {}
    held = used(connection, kind, limits)
    return {project: max(most - held[project], 0) for project, most in limits.items()}
