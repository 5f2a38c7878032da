"""The trunk manager's store: trunks with their sub-ports, and notes."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.contracts.trunking import ParentPortInUse
from alcor.managers.trunk.model.refusals import TrunkIdInUse, TrunkNotFound
from alcor.managers.trunk.model.trunk import Trunk
from alcor.managers.trunk.needs import Transaction
from alcor.runtime.sql.database import Database
from alcor.runtime.tables import usage
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken

T = TypeVar("T")

TABLE = ResourceTable(
    "trunk", "Trunk", ("project_id", "name", "port_id"), counted=True, tagged=True
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Trunk).decode


class SqlTransaction:
    """Keeps `needs.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, quota: usage.Limit) -> None:
        self._connection = connection
        self._quota = quota

    def page(self, query: ListQuery, project: str | None) -> list[Raw]:
        return TABLE.page(self._connection, query, project)

    def trunk(self, id_: str, project: str | None) -> Trunk:
        row = TABLE.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise TrunkNotFound(id_)
        return _decode(row.doc)

    def trunks(self, after: str, limit: int) -> list[Trunk]:
        return [_decode(row.doc) for row in TABLE.living(self._connection, after, limit)]

    def insert(self, trunks: Sequence[Trunk]) -> list[Raw]:
        rows = [_row(trunk) for trunk in trunks]
        try:
            TABLE.insert(self._connection, rows)
        except Taken as taken:
            if taken.columns == ("id",):
                raise TrunkIdInUse from None
            raise ParentPortInUse(trunks[0].port_id) from None
        projects = {trunk.project_id for trunk in trunks}
        usage.check(self._connection, TABLE.name, projects, self._quota)
        return [Raw(row.doc) for row in rows]

    def save(self, trunk: Trunk) -> Raw:
        row = _row(trunk)
        TABLE.replace(self._connection, [row])
        return Raw(row.doc)

    def remove(self, id_: str) -> None:
        TABLE.delete(self._connection, [id_])

    def note(self, trunk_id: str, port_ids: Iterable[str]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO unsettled VALUES (?, ?)", [(trunk_id, id_) for id_ in port_ids]
        )

    def noted(self, trunk_id: str) -> list[str]:
        statement = "SELECT port_id FROM unsettled WHERE trunk_id = ? ORDER BY port_id"
        return [id_ for (id_,) in self._connection.execute(statement, (trunk_id,))]

    def settled(self, trunk_id: str) -> None:
        self._connection.execute("DELETE FROM unsettled WHERE trunk_id = ?", (trunk_id,))

    def unsettled(self, after: str, limit: int) -> list[str]:
        rows = self._connection.execute(
            "SELECT DISTINCT trunk_id FROM unsettled WHERE trunk_id > ? ORDER BY trunk_id LIMIT ?",
            (after, limit),
        )
        return [id_ for (id_,) in rows]


class TrunkStore:
    """Keeps `needs.Store`."""

    def __init__(self, database: Database, quota: usage.Limit = usage.unlimited) -> None:
        self._database = database
        self._quota = quota

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.read(lambda c: work(SqlTransaction(c, self._quota)))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.write(lambda c: work(SqlTransaction(c, self._quota)))


def _row(trunk: Trunk) -> Row:
    columns = (trunk.project_id, trunk.name, trunk.port_id)
    return Row(trunk.id, columns, trunk.revision_number, _encode(trunk))
