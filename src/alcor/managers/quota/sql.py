"""The quota manager's store in SQLite."""

import sqlite3
from collections.abc import Callable, Sequence

import msgspec

from alcor.contracts.resources import ListQuery
from alcor.intent import outbox
from alcor.intent.outbox import Told
from alcor.intent.relay import Relay
from alcor.keyed_log.log import Change
from alcor.managers.quota import intent
from alcor.managers.quota.model import Quota, TenantQuotaNotFound
from alcor.runtime.sql.database import Database
from alcor.runtime.tables.resource_table import ResourceTable, Row

TABLE = ResourceTable("quota", "Quota", column_by_field={"project_id": "id", "tenant_id": "id"})

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Quota).decode


def living(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[tuple[str, Change]]:
    """The limits of the projects after one, as the intent log knows them."""
    rows = TABLE.living(connection, after, limit)
    return [(row.id, Change(*intent.told(_decode(row.doc)), row.sequence)) for row in rows]


class QuotaStore:
    """Keeps `needs.Store`."""

    def __init__(self, database: Database, relay: Relay) -> None:
        self._database = database
        self._relay = relay

    async def page(self, query: ListQuery) -> list[Quota]:
        return await self._database.read(lambda c: [_decode(d) for d in TABLE.page(c, query)])

    async def quota(self, project: str) -> Quota | None:
        row = await self._database.read(lambda c: TABLE.row(c, project))
        return None if row is None else _decode(row.doc)

    async def change(self, project: str, decide: Callable[[Quota], Quota], trace: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            row = TABLE.row(connection, project)
            new = decide(Quota(id=project, limits={}) if row is None else _decode(row.doc))
            sequence = self._tell(connection, intent.told(new), trace)
            put = TABLE.insert if row is None else TABLE.replace
            put(connection, [Row(project, (), sequence, _encode(new))])
            return sequence

        return await self._write(work)

    async def remove(self, project: str, trace: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            if TABLE.row(connection, project) is None:
                raise TenantQuotaNotFound(project)
            TABLE.delete(connection, [project])
            return self._tell(connection, intent.told_gone(project), trace)

        return await self._write(work)

    async def told(self, sequence: int) -> None:
        await self._relay.published_all(sequence)

    async def _write(self, work: Callable[[sqlite3.Connection], int]) -> int:
        sequence = await self._database.write(work)
        self._relay.notify(sequence)
        return sequence

    def _tell(self, connection: sqlite3.Connection, told: Told, trace: str) -> int:
        self._relay.forget(connection)
        return outbox.tell(connection, outbox.take(connection, 1), [told], trace)
