"""Segments in the network manager's database: each change is one transaction with its network's."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.intent import outbox
from alcor.intent.store import Publisher, Telling
from alcor.managers.network import intent
from alcor.managers.network.model.network import Limits, NetworkInUse
from alcor.managers.network.model.network_segment import NetworkSegment, with_segments
from alcor.managers.network.needs import Saved
from alcor.managers.network.sql import TABLE as NETWORKS
from alcor.managers.network.sql import insert_segments, is_marked, network_of, save
from alcor.managers.network.tables import segments as segment_table
from alcor.managers.network.tables.segments import TABLE, decode, fill, placed, row_of
from alcor.runtime.sql.database import Database
from alcor.runtime.tables.resource_table import missing


class Kin(NamedTuple):
    """A segment, and of how many of its network it is one."""

    segment: NetworkSegment
    of: int


class SegmentStore:
    """Reads and writes segments."""

    def __init__(self, database: Database, publisher: Publisher, limits: Limits) -> None:
        self._database = database
        self._telling = Telling(database, publisher)
        self._limits = limits

    async def page(self, query: ListQuery) -> list[Raw]:
        return await self._database.read(lambda c: TABLE.page(c, query))

    async def kin(self, ids: Sequence[str]) -> list[Kin]:
        """Those of the segments that exist, whose networks are not being deleted."""

        def work(connection: sqlite3.Connection) -> list[Kin]:
            found = [decode(row.doc) for row in TABLE.rows(connection, ids).values()]
            return [
                Kin(each, len(segment_table.of_network(connection, each.network_id)))
                for each in found
                if not is_marked(connection, each.network_id)
            ]

        return await self._database.read(work)

    async def add(self, segments: Sequence[NetworkSegment], trace: str, now: str) -> Saved:
        """All or none, with the ids that they are given."""

        def work(connection: sqlite3.Connection) -> Saved:
            added: list[NetworkSegment] = []
            for each in segments:
                network = network_of(connection, each.network_id)
                if is_marked(connection, network.id):
                    raise NetworkInUse(network.id, "It is being deleted.")
                added.append(placed(connection, each, network.project_id, self._limits))
                insert_segments(connection, added[-1:])
            ids = {each.network_id for each in added}
            sequence = _show(connection, sorted(ids), trace, now)
            return Saved([Raw(row_of(each).doc) for each in added], sequence)

        return await self._telling.write(work)

    async def describe(
        self, id_: str, decide: Callable[[NetworkSegment], NetworkSegment]
    ) -> tuple[NetworkSegment, int]:
        """What is said of a segment is nothing that hosts must hear; the sequence before it."""

        def work(connection: sqlite3.Connection) -> tuple[NetworkSegment, int]:
            old = _one(connection, id_)
            new = decide(old)
            sequence = TABLE.rows(connection, [id_])[id_].sequence
            TABLE.replace(connection, [row_of(new, sequence)])
            return new, outbox.last(connection)

        return await self._database.write(work)

    async def segment(self, id_: str) -> NetworkSegment:
        return await self._database.read(lambda c: _one(c, id_))

    async def further(self) -> list[str]:
        """The ids of all segments that are not the first of their networks."""

        def work(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(f"SELECT id FROM {TABLE.name} WHERE id <> network_id")
            return [id_ for (id_,) in rows]

        return await self._database.read(work)

    async def remove(self, id_: str, trace: str, now: str) -> int:
        """A further segment is gone; return the sequence."""

        def work(connection: sqlite3.Connection) -> Saved:
            gone = _one(connection, id_)
            segment_table.remove(connection, [id_])
            begin = outbox.take(connection, 1)
            outbox.tell(connection, begin, [intent.told_segment_gone(id_)], trace)
            return Saved([], _show(connection, [gone.network_id], trace, now))

        return (await self._telling.write(work)).sequence

    async def fill(self) -> None:
        """Add the rows of segments that were made before there were any."""
        while await self._database.write(fill):
            pass


def _one(connection: sqlite3.Connection, id_: str) -> NetworkSegment:
    row = TABLE.row(connection, id_)
    if row is None:
        raise missing(TABLE.title, id_)
    return decode(row.doc)


def _show(connection: sqlite3.Connection, network_ids: Sequence[str], trace: str, now: str) -> int:
    """Show networks' segments in them; the sequence of the last record that is told."""
    networks = [
        with_segments(network_of(connection, id_), segment_table.of_network(connection, id_), now)
        for id_ in network_ids
    ]
    return save(connection, networks, trace, NETWORKS.replace).sequence
