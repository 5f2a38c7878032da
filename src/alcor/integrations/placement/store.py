"""What Placement was told, kept: a row a host."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from alcor.integrations.placement.providers import Wish
from alcor.runtime.sql.database import Database

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Wish).decode


class Known(NamedTuple):
    """What Placement knows of a host, at most: of what is not `is_whole` nobody knows how much."""

    wish: Wish
    is_whole: bool


class ToldStore:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[str, Known]:
        """What Placement was told, by host."""
        return await self._database.read(_all)

    async def keep(self, told: Mapping[str, Known]) -> None:
        """It was told this, or is about to be; a host without providers is forgotten."""
        await self._database.write(lambda connection: _keep(connection, told))


def _all(connection: sqlite3.Connection) -> dict[str, Known]:
    rows = connection.execute("SELECT host, is_whole, doc FROM told").fetchall()
    return {host: Known(_decode(doc), bool(is_whole)) for host, is_whole, doc in rows}


def _keep(connection: sqlite3.Connection, told: Mapping[str, Known]) -> None:
    for host, each in told.items():
        connection.execute("DELETE FROM told WHERE host = ?", (host,))
        if each.wish.providers:
            connection.execute(
                "INSERT INTO told (host, is_whole, doc) VALUES (?, ?, ?)",
                (host, int(each.is_whole), _encode(each.wish).decode()),
            )
