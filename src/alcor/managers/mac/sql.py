"""The MAC manager's store: SQLite."""

import sqlite3

from alcor.runtime.sql.database import Database


class SqlStore:
    """The store on one database: a row for each block that its owner may still ask for again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def number_after(self, owner: str, after: int) -> int:
        return await self._database.write(lambda connection: _number(connection, owner, after))


def _number(connection: sqlite3.Connection, owner: str, after: int) -> int:
    row = connection.execute(
        "SELECT number FROM block WHERE owner = ? AND after = ?", (owner, after)
    ).fetchone()
    if row is not None:
        return int(row[0])
    (number,) = connection.execute("UPDATE counter SET last = last + 1 RETURNING last").fetchone()
    connection.execute("DELETE FROM block WHERE owner = ? AND after < ?", (owner, after))
    connection.execute("INSERT INTO block VALUES (?, ?, ?)", (owner, after, number))
    return int(number)
