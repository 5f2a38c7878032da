"""What Nova was told, kept: a row a port."""

import sqlite3
from collections.abc import Sequence

from alcor.integrations.nova.events import State, Wired
from alcor.integrations.nova.tracker import News
from alcor.runtime.sql.database import Database


class ToldStore:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[str, Wired]:
        """What Nova knows, by port."""
        return await self._database.read(_all)

    async def keep(self, said: Sequence[News]) -> None:
        """Nova was told these."""
        await self._database.write(lambda connection: _keep(connection, said))


def _all(connection: sqlite3.Connection) -> dict[str, Wired]:
    rows = connection.execute("SELECT port_id, server, state, host, addresses, ofport FROM told")
    return {row[0]: Wired(row[1], State(row[2]), *row[3:]) for row in rows.fetchall()}


def _keep(connection: sqlite3.Connection, said: Sequence[News]) -> None:
    for port_id, _, then in said:
        connection.execute("DELETE FROM told WHERE port_id = ?", (port_id,))
        if then is not None:
            connection.execute(
                "INSERT INTO told (port_id, server, state, host, addresses, ofport) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (port_id, *then),
            )
