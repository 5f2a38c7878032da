"""The node manager's store in SQLite: row and outbox change in one transaction."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence

import msgspec

from alcor.contracts.resources import ListQuery
from alcor.intent import outbox
from alcor.intent.store import Publisher, Telling
from alcor.keyed_log.log import Change
from alcor.managers.node import intent
from alcor.managers.node.model import (
    AgentNotFound,
    Node,
    NodeIdInUse,
    NodeNotFound,
    TunnelIpInUse,
    agent_id,
)
from alcor.managers.node.needs import Saved
from alcor.managers.node.remembered import Remembered
from alcor.runtime.sql.database import Database
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken
from alcor.values.errors import Kind, Refusal

TABLE = ResourceTable("node", "Node", ("tunnel_ip", "agent_id"))

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Node).decode


def row_of(node: Node, sequence: int) -> Row:
    """The row that keeps a node."""
    return Row(node.id, (node.tunnel_ip, agent_id(node.id)), sequence, _encode(node))


def living(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[tuple[str, Change]]:
    """The nodes after an id, as the intent log knows them."""
    rows = TABLE.living(connection, after, limit)
    return [(row.id, Change(*intent.told(_decode(row.doc)), row.sequence)) for row in rows]


class NodeStore:
    """Keeps `needs.Store`."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._telling = Telling(database, publisher)
        self._remembered = Remembered()
        self._reading = asyncio.Lock()  # the table, so that it is whole again

    async def page(self, query: ListQuery) -> list[Node]:
        return await self._database.read(lambda c: [_decode(d) for d in TABLE.page(c, query)])

    async def all(self) -> list[Node]:
        return await self.page(ListQuery())

    async def uplinked(self) -> list[Node]:
        return (await self._whole()).uplinked()

    async def zones(self) -> Mapping[str, str]:
        return (await self._whole()).zones()

    async def _whole(self) -> Remembered:
        async with self._reading:
            if not self._remembered.is_whole:
                self._remembered.begin()
                self._remembered.fill(await self.all())
        return self._remembered

    async def nodes(self, ids: Sequence[str]) -> list[Node]:
        return await self._database.read(
            lambda c: [_decode(row.doc) for row in TABLE.rows(c, ids).values()]
        )

    async def by_agent(self, agent_id: str) -> Node:
        rows = await self._database.read(lambda c: TABLE.where(c, "agent_id = ?", (agent_id,)))
        if not rows:
            raise AgentNotFound(agent_id)
        return _decode(rows[0].doc)

    async def insert(self, nodes: Sequence[Node], trace: str) -> Saved:
        return await self._write(lambda c: _save(c, nodes, trace, TABLE.insert))

    async def change(self, id_: str, decide: Callable[[Node], Node], trace: str) -> Saved:
        def work(connection: sqlite3.Connection) -> Saved:
            row = TABLE.row(connection, id_)
            if row is None:
                raise NodeNotFound(id_)
            old = _decode(row.doc)
            new = decide(old)
            if new is old:
                return Saved([old], row.sequence)
            return _save(connection, [new], trace, TABLE.replace)

        return await self._write(work)

    async def settle(
        self, ids: Sequence[str], decide: Callable[[str, Node | None], Node], trace: str
    ) -> Saved:
        def work(connection: sqlite3.Connection) -> Saved:
            held = {id_: _decode(row.doc) for id_, row in TABLE.rows(connection, ids).items()}
            became = [(held.get(id_), decide(id_, held.get(id_))) for id_ in ids]
            new = [now for old, now in became if old is None]
            changed = [now for old, now in became if old is not None and now is not old]
            saved = Saved([], outbox.last(connection))
            for nodes, put in ((new, TABLE.insert), (changed, TABLE.replace)):
                if nodes:
                    done = _save(connection, nodes, trace, put)
                    saved = Saved([*saved.nodes, *done.nodes], done.sequence)
            return saved

        return await self._write(work)

    async def remove(self, id_: str, trace: str) -> int:
        def work(connection: sqlite3.Connection) -> Saved:
            if TABLE.row(connection, id_) is None:
                raise NodeNotFound(id_)
            TABLE.delete(connection, [id_])
            first = outbox.take(connection, 1)
            return Saved([], outbox.tell(connection, first, [intent.told_gone(id_)], trace))

        sequence = (await self._write(work)).sequence
        self._remembered.remove(id_)
        return sequence

    async def _write(self, work: Callable[[sqlite3.Connection], Saved]) -> Saved:
        try:
            saved = await self._telling.write(work)
        except BaseException as problem:
            if not isinstance(problem, Refusal) or problem.kind is Kind.UNAVAILABLE:
                self._remembered.doubt()  # it may be saved; of others nothing was
            raise
        self._remembered.put(saved.nodes)
        return saved


def _save(
    connection: sqlite3.Connection,
    nodes: Sequence[Node],
    trace: str,
    put: Callable[[sqlite3.Connection, Sequence[Row]], None],
) -> Saved:
    first = outbox.take(connection, len(nodes))
    try:
        put(connection, [row_of(node, first + i) for i, node in enumerate(nodes)])
    except Taken as taken:
        raise _refusal(taken) from None
    last = outbox.tell(connection, first, [intent.told(node) for node in nodes], trace)
    return Saved(list(nodes), last)


def _refusal(taken: Taken) -> Exception:
    if taken.columns == ("tunnel_ip",):
        return TunnelIpInUse("Tunnels to this address end at another node.")
    return NodeIdInUse("A node of this name is known already.")
