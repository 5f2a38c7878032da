"""What a manager's resources may no longer refer to, kept in its own database.

The owner of the referred-to resource decides: nobody may refer to a fenced id, and only some
projects to a confined one. Whoever saves a reference asks here in the same transaction. All
functions here run inside a transaction.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from alcor.contracts.peers import Done, Ids, InUse
from alcor.contracts.sharing import ANYBODY, Confine, allows
from alcor.runtime.sql.database import Database, each_of

FENCES = "CREATE TABLE fence (id TEXT PRIMARY KEY) WITHOUT ROWID"
CONFINED = "CREATE TABLE confined (id TEXT PRIMARY KEY, allowed TEXT NOT NULL) WITHOUT ROWID"


def fenced(connection: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Those of the ids that may not be referred to."""
    rows = connection.execute(
        "SELECT value FROM json_each(?) CROSS JOIN fence ON fence.id = value", (each_of(ids),)
    )
    return {value for (value,) in rows}


def fence(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Let nobody refer to these from now on."""
    connection.executemany("INSERT OR IGNORE INTO fence VALUES (?)", [(id_,) for id_ in ids])


def lift(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Let these be referred to again."""
    connection.executemany("DELETE FROM fence WHERE id = ?", [(id_,) for id_ in ids])


def confined(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Of those whose use is confined, the projects that may use them."""
    rows = connection.execute(
        "SELECT confined.id, allowed FROM json_each(?) CROSS JOIN confined ON confined.id = value",
        (each_of(ids),),
    )
    return {id_: frozenset(msgspec.json.decode(allowed)) for id_, allowed in rows}


def confine(connection: sqlite3.Connection, id_: str, allowed: Iterable[str]) -> None:
    """Let only these projects use it; the last word holds."""
    connection.execute(
        "INSERT INTO confined VALUES (?, ?) "
        "ON CONFLICT (id) DO UPDATE SET allowed = excluded.allowed",
        (id_, each_of(sorted(allowed))),
    )


def may_refer(connection: sqlite3.Connection, id_: str, project: str | None) -> bool:
    """Whether a resource of the project may refer to it; None: whoever asks sees all."""
    allowed = {} if project is None else confined(connection, [id_])
    return not fenced(connection, [id_]) and (
        id_ not in allowed or allows(allowed[id_], str(project))
    )


class PolicyColumn:
    """Keeps PolicyUserPeer for a table that has the policies of its resources in a column."""

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        self._table = table

    async def fence_policies(self, request: Ids) -> InUse:
        statement = (
            "SELECT value FROM json_each(?) WHERE EXISTS "
            f"(SELECT 1 FROM {self._table} WHERE qos_policy_id = value)"
        )

        def work(connection: sqlite3.Connection) -> list[str]:
            in_use = {id_ for (id_,) in connection.execute(statement, (each_of(request.ids),))}
            fence(connection, [id_ for id_ in request.ids if id_ not in in_use])
            return sorted(in_use)

        return InUse(await self._database.write(work))

    async def lift_policies(self, request: Ids) -> Done:
        await self._database.write(lambda connection: lift(connection, request.ids))
        return Done()

    async def confine(self, request: Confine) -> InUse:
        allowed = sorted({request.owner, *request.allowed})
        statement = (
            f"SELECT 1 FROM {self._table} WHERE qos_policy_id = ? "
            "AND project_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1"
        )

        def work(connection: sqlite3.Connection) -> list[str]:
            if ANYBODY not in allowed:
                found = connection.execute(statement, (request.id, each_of(allowed)))
                if found.fetchone() is not None:
                    return [request.id]
            confine(connection, request.id, allowed)
            return []

        return InUse(await self._database.write(work))
