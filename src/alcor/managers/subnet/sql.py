"""The subnet manager's store in SQLite: row, outbox and marks change in one transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.intent import outbox
from alcor.intent.store import Publisher, Telling
from alcor.keyed_log.log import Change
from alcor.managers.subnet import intent
from alcor.managers.subnet.model import (
    Subnet,
    SubnetIdInUse,
    SubnetsExhausted,
    check_overlap,
    on_network,
)
from alcor.managers.subnet.needs import Saved
from alcor.managers.subnet.segments import SegmentNotFound, check_alike
from alcor.runtime.sql.database import Database, each_of
from alcor.runtime.tables import usage
from alcor.runtime.tables.resource_table import Also, ResourceTable, Row
from alcor.values.missing import NetworkNotFound, SubnetNotFound

TABLE = ResourceTable(
    "subnet",
    "Subnet",
    ("project_id", "network_id", "name"),
    counted=True,
    tagged=True,
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Subnet).decode


_OF_LANDLORD = "landlord = ? AND landlord <> ''"  # said aloud, or the index is not used
_ON = "network_id IN (SELECT value FROM json_each(?))"


def row_of(subnet: Subnet, sequence: int) -> Row:
    """The row that keeps a subnet."""
    columns = (subnet.project_id, subnet.network_id, subnet.name)
    return Row(subnet.id, columns, sequence, _encode(subnet))


def living(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[tuple[str, Change]]:
    """The subnets after an id, as the intent log knows them."""
    rows = TABLE.living(connection, after, limit)
    return [(row.id, Change(*intent.told(_decode(row.doc)), row.sequence)) for row in rows]


class _Removed(NamedTuple):
    ids: list[str]
    sequence: int  # of the last of them; 0: there were none


class SubnetStore:
    """Keeps `needs.Store`."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        subnets_max: int,
        quota: usage.Limit = usage.unlimited,
    ) -> None:
        self._database = database
        self._telling = Telling(database, publisher)
        self._subnets_max = subnets_max  # of one network
        self._quota = quota

    async def page(
        self, query: ListQuery, project: str | None, shared: Sequence[str], others: Sequence[str]
    ) -> list[Raw]:
        query, only = _by_shared(query, shared)
        also = [] if project is None else [Also(_OF_LANDLORD, (project,))]
        if project is not None and (shared or others):
            also.append(Also(_ON, (each_of([*shared, *others]),)))
        return await self._database.read(lambda c: TABLE.page(c, query, project, also, only))

    async def subnet(self, id_: str, project: str | None) -> Subnet:
        def work(connection: sqlite3.Connection) -> Subnet:
            row = TABLE.row(connection, id_)
            if row is None or project not in (None, row.columns[0], _landlord(connection, id_)):
                raise SubnetNotFound(id_)
            return _decode(row.doc)

        return await self._database.read(work)

    async def of_networks(self, network_ids: Sequence[str]) -> list[Subnet]:
        return await self._database.read(
            lambda c: [each for id_ in network_ids for each in _of_network(c, id_)]
        )

    async def of_ids(self, ids: Sequence[str]) -> list[Subnet]:
        return await self._database.read(
            lambda c: [_decode(row.doc) for row in TABLE.rows(c, ids).values()]
        )

    async def unsettle(self, ids: Sequence[str], new: Sequence[Subnet] = ()) -> None:
        def work(connection: sqlite3.Connection) -> None:
            self._check_new(connection, new)
            _unsettle(connection, ids)

        await self._database.write(work)

    async def settled(self, ids: Sequence[str]) -> None:
        await self._database.write(lambda c: _settle(c, ids))

    async def unsettled(self) -> list[str]:
        statement = "SELECT subnet_id FROM unsettled"
        return await self._database.read(lambda c: [id_ for (id_,) in c.execute(statement)])

    async def insert(
        self, subnets: Sequence[Subnet], landlords: Mapping[str, str], trace: str
    ) -> Saved:
        def work(connection: sqlite3.Connection) -> Saved:
            self._check_new(connection, subnets)
            _settle(connection, [subnet.id for subnet in subnets])
            saved = _save(connection, subnets, trace, TABLE.insert)
            usage.check(connection, TABLE.name, {s.project_id for s in subnets}, self._quota)
            connection.executemany(
                "UPDATE subnet SET landlord = ? WHERE id = ?",
                [(landlord, id_) for id_, landlord in landlords.items()],
            )
            return saved

        return await self._telling.write(work)

    async def change(self, id_: str, decide: Callable[[Subnet], Subnet], trace: str) -> Saved:
        def work(connection: sqlite3.Connection) -> Saved:
            row = TABLE.row(connection, id_)
            if row is None:
                raise SubnetNotFound(id_)
            old = _decode(row.doc)
            new = decide(old)
            if new is old:
                return Saved([Raw(row.doc)], row.sequence)
            return _save(connection, [new], trace, TABLE.replace)

        return await self._telling.write(work)

    async def remove(self, id_: str, trace: str) -> int:
        def work(connection: sqlite3.Connection) -> Saved:
            if TABLE.row(connection, id_) is None:
                raise SubnetNotFound(id_)
            return Saved([], _remove(connection, [id_], trace))

        return (await self._telling.write(work)).sequence

    async def remove_of_network(self, network_id: str, trace: str) -> list[str]:
        def work(connection: sqlite3.Connection) -> _Removed:
            connection.execute("INSERT OR IGNORE INTO network_fence VALUES (?)", (network_id,))
            ids = [subnet.id for subnet in _of_network(connection, network_id)]
            _unsettle(connection, ids)
            return _Removed(ids, _remove(connection, ids, trace) if ids else 0)

        return (await self._telling.write(work)).ids

    async def show_networks(self, external_by_network: Mapping[str, bool]) -> None:
        def different(connection: sqlite3.Connection) -> list[Subnet]:
            return [
                new
                for id_, external in external_by_network.items()
                for old in _of_network(connection, id_)
                if (new := on_network(old, external)) is not old
            ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE subnet SET doc = ? WHERE id = ?",
                [(_encode(each).decode(), each.id) for each in different(connection)],
            )

        if await self._database.read(different):
            await self._database.write(work)

    async def fence_segment(self, network_id: str, id_: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            if any(each.segment_id == id_ for each in _of_network(connection, network_id)):
                return False
            # The column has ids of networks and of further segments, which are no network's.
            connection.execute("INSERT OR IGNORE INTO network_fence VALUES (?)", (id_,))
            return True

        return await self._database.write(work)

    async def lift(self, network_ids: Sequence[str]) -> None:
        statement = "DELETE FROM network_fence WHERE network_id = ?"
        rows = [(id_,) for id_ in network_ids]
        await self._database.write(lambda c: c.executemany(statement, rows) and None)

    def _check_new(self, connection: sqlite3.Connection, subnets: Sequence[Subnet]) -> None:
        """That these may be inserted: also against each other."""
        others = {s.network_id: _of_network(connection, s.network_id) for s in subnets}
        taken = TABLE.rows(connection, [s.id for s in subnets])
        for subnet in subnets:
            siblings = others[subnet.network_id]
            if subnet.id in taken or any(
                subnet.id == s.id for each in others.values() for s in each
            ):
                raise SubnetIdInUse("Unable to create the subnet. Its id is in use.")
            if _is_fenced(connection, subnet.network_id):
                raise NetworkNotFound(subnet.network_id)
            if subnet.segment_id and _is_fenced(connection, subnet.segment_id):
                raise SegmentNotFound(subnet.segment_id)
            check_overlap(subnet, siblings)
            check_alike(subnet, siblings)
            siblings.append(subnet)
            if len(siblings) > self._subnets_max:
                message = f"A network has at most {self._subnets_max} subnets."
                raise SubnetsExhausted(message)


def _save(
    connection: sqlite3.Connection,
    subnets: Sequence[Subnet],
    trace: str,
    put: Callable[[sqlite3.Connection, Sequence[Row]], None],
) -> Saved:
    first = outbox.take(connection, len(subnets))
    rows = [row_of(subnet, first + i) for i, subnet in enumerate(subnets)]
    put(connection, rows)
    last = outbox.tell(connection, first, [intent.told(s) for s in subnets], trace)
    return Saved([Raw(row.doc) for row in rows], last)


def _remove(connection: sqlite3.Connection, ids: Sequence[str], trace: str) -> int:
    TABLE.delete(connection, ids)
    first = outbox.take(connection, len(ids))
    return outbox.tell(connection, first, [intent.told_gone(id_) for id_ in ids], trace)


def _of_network(connection: sqlite3.Connection, network_id: str) -> list[Subnet]:
    rows = TABLE.where(connection, "network_id = ? ORDER BY id", (network_id,))
    return [_decode(row.doc) for row in rows]


def _by_shared(query: ListQuery, shared: Sequence[str]) -> tuple[ListQuery, list[Also]]:
    """The query without its filter by `shared`, and what that means: on a network that is."""
    rest = tuple(each for each in query.filters if each.field != "shared")
    wanted = {value for each in query.filters if each.field == "shared" for value in each.values}
    query = msgspec.structs.replace(query, filters=rest)
    if len(wanted) != 1:
        return query, []
    condition = _ON if wanted.pop() else f"NOT {_ON}"
    return query, [Also(condition, (each_of(shared),))]


def _landlord(connection: sqlite3.Connection, id_: str) -> str:
    row = connection.execute("SELECT landlord FROM subnet WHERE id = ?", (id_,)).fetchone()
    return str(row[0]) if row is not None and row[0] else ""


def _is_fenced(connection: sqlite3.Connection, network_id: str) -> bool:
    statement = "SELECT 1 FROM network_fence WHERE network_id = ?"
    return connection.execute(statement, (network_id,)).fetchone() is not None


def _unsettle(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    statement = "INSERT OR IGNORE INTO unsettled VALUES (?)"
    connection.executemany(statement, [(id_,) for id_ in ids])


def _settle(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    statement = "DELETE FROM unsettled WHERE subnet_id = ?"
    connection.executemany(statement, [(id_,) for id_ in ids])
