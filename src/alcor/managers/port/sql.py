"""The port manager's store: SQLite.

CROSS JOIN keeps SQLite from turning a join round: each id is looked up, whatever the table's size.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.intent import outbox
from alcor.intent.store import Publisher
from alcor.keyed_log.log import Change
from alcor.managers.port import intent
from alcor.managers.port.macs import Place
from alcor.managers.port.model.addressing import ROUTER_OWNERS
from alcor.managers.port.model.bindings import Binding, Bindings
from alcor.managers.port.model.port import Port, decode, encode
from alcor.managers.port.needs import NewGroup, Saved, Transaction
from alcor.runtime.sql.database import Database, each_of
from alcor.runtime.tables import fences, usage
from alcor.runtime.tables.resource_table import Also, ResourceTable, Row
from alcor.runtime.tables.scattered_index import Moving
from alcor.values.rows import insertions

T = TypeVar("T")

_ADDRESS = "id IN (SELECT port_id FROM port_address WHERE {} IN ({{}}))"

# An address that contains one of the texts, which are a JSON list.
_CONTAINING = (
    "id IN (SELECT port_id FROM port_address CROSS JOIN json_each({}) "
    "WHERE address LIKE '%' || value || '%')"
)
_OF_LANDLORD = "landlord = ? AND landlord <> ''"  # said aloud, or the index is not used

TABLE = ResourceTable(
    "port",
    "Port",
    ("project_id", "network_id", "mac_address", "device_id", "host", "name"),
    conditions={
        "fixed_ips.ip_address": _ADDRESS.format("address"),
        "fixed_ips.subnet_id": _ADDRESS.format("subnet_id"),
        "fixed_ips.ip_address_substr": _CONTAINING,
        "security_groups": "id IN (SELECT port_id FROM port_group WHERE group_id IN ({}))",
    },
    column_by_field={"binding:host_id": "host"},
    sparse=frozenset({"host"}),
    kept=("landlord",),
    counted=True,
    tagged=True,
    scattered=("device_id", "name"),
)


_encode_binding = msgspec.json.Encoder().encode
_decode_binding = msgspec.json.Decoder(Binding).decode


# What is wanted is put together first: PostgreSQL would go over all ports of a network otherwise,
# as long as it does not know how many there are.
MACS_TAKEN = (
    "WITH wanted AS MATERIALIZED "
    "(SELECT CAST(? AS TEXT) AS network, value AS mac FROM json_each(?)) "
    "SELECT mac_address FROM wanted CROSS JOIN port ON network_id = network AND mac_address = mac"
)


def living(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[tuple[str, Change]]:
    """The ports after an id, as the intent log knows them."""
    rows = TABLE.living(connection, after, limit)
    port_by_id = {row.id: decode(row.doc) for row in rows}
    hosts = _waiting_hosts(connection, port_by_id.values())
    return [
        (id_, Change(intent.key(id_), intent.encoded(port, hosts.get(id_, ())), row.sequence))
        for (id_, port), row in zip(port_by_id.items(), rows, strict=True)
    ]


class SqlStore:
    """Keeps `needs.Store`."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        moving: Moving,
        quota: usage.Limit = usage.unlimited,
    ) -> None:
        self._database = database
        self._moving = moving
        self._publisher = publisher
        self._quota = quota

    async def page(self, query: ListQuery, project: str | None) -> list[Raw]:
        also = [] if project is None else [Also(_OF_LANDLORD, (project,))]
        return await self._database.read(lambda c: TABLE.page(c, query, project, also))

    async def place(self) -> Place:
        return await self._database.read(
            lambda c: Place(
                *c.execute("SELECT number, first, count, next FROM mac_place").fetchone()
            )
        )

    async def write(self, work: Callable[[Transaction], T]) -> T:
        def within(connection: sqlite3.Connection) -> tuple[T, list[Change]]:
            self._publisher.forget(connection)
            tx = SqlTransaction(connection, self._quota)
            return work(tx), tx.told

        result, told = await self._database.write(within)
        if told:
            self._publisher.notify(told[-1].revision, told)
            self._moving.written(len(told))
        return result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.read(lambda c: work(SqlTransaction(c, self._quota)))


class SqlTransaction:
    """Keeps `needs.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, quota: usage.Limit) -> None:
        self._connection = connection
        self._quota = quota
        self.told: list[Change] = []  # by this transaction

    def ports(self, ids: Sequence[str]) -> dict[str, Port]:
        return {id_: decode(row.doc) for id_, row in TABLE.rows(self._connection, ids).items()}

    def existing(self, ids: Sequence[str]) -> set[str]:
        return self._among("SELECT value FROM json_each(?) CROSS JOIN port ON port.id = value", ids)

    def landlord(self, id_: str) -> str:
        statement = "SELECT landlord FROM port WHERE id = ?"
        row = self._connection.execute(statement, (id_,)).fetchone()
        return "" if row is None else str(row[0])

    def confined(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        return fences.confined(self._connection, ids)

    def confine(self, id_: str, allowed: Iterable[str]) -> None:
        fences.confine(self._connection, id_, allowed)

    def used_by_others(self, id_: str, allowed: Iterable[str]) -> bool:
        values = (id_, id_, id_, each_of(sorted(allowed)))
        statement = (
            "SELECT 1 FROM port WHERE (network_id = ? "
            "OR id IN (SELECT port_id FROM port_group WHERE group_id = ?) "
            "OR id IN (SELECT port_id FROM port_policy WHERE policy_id = ?)) "
            "AND project_id <> '' AND project_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1"
        )
        return self._connection.execute(statement, values).fetchone() is not None

    def room(self, projects: Iterable[str]) -> dict[str, int]:
        return usage.room(self._connection, TABLE.name, projects, self._quota)

    def macs_taken(self, macs_by_network: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
        taken: set[tuple[str, str]] = set()
        for network_id, macs in macs_by_network.items():
            rows = self._connection.execute(MACS_TAKEN, (network_id, each_of(macs)))
            taken.update((network_id, mac_address) for (mac_address,) in rows)
        return taken

    def insert(self, groups: Sequence[NewGroup]) -> list[Saved]:
        ports = [port for group in groups for port in group.ports]
        if not ports:
            return []
        sequences = count(outbox.take(self._connection, len(ports)))
        rows: list[Row] = []
        told: list[Change] = []
        saved: list[Saved] = []
        for some, trace, owners in groups:
            new = [_row(port, next(sequences), _landlord(port, owners)) for port in some]
            saved.append(Saved([Raw(row.doc) for row in new], new[-1].sequence))
            told += [_change(p, row.sequence, trace) for p, row in zip(some, new, strict=True)]
            rows += new
        self._tell(told)
        TABLE.insert(self._connection, rows)
        self._add_addresses(ports)
        self._add_groups(ports)
        self._add_policies(ports)
        return saved

    def replace(self, old: Port, new: Port, trace: str) -> Saved:
        first = outbox.take(self._connection, 1)
        row = _row(new, first)
        TABLE.replace(self._connection, [row], {old.id: _columns(old)})
        if new.host != old.host:
            # A host that the port goes to has nothing to wait for.
            self._connection.execute(
                "DELETE FROM port_binding WHERE port_id = ? AND host = ?", (new.id, new.host)
            )
        if new.fixed_ips != old.fixed_ips:
            self._drop_addresses(new.id)
            self._add_addresses([new])
        if new.security_groups != old.security_groups:
            self._drop_groups(new.id)
            self._add_groups([new])
        if new.qos_policy_id != old.qos_policy_id:
            self._drop_policy(new.id)
            self._add_policies([new])
        hosts = _waiting_hosts(self._connection, [new]).get(new.id, ())
        self._tell([_change(new, first, trace, hosts)])
        return Saved([Raw(row.doc)], first)

    def show(self, ports: Sequence[Port]) -> None:
        self._connection.executemany(
            "UPDATE port SET doc = ? WHERE id = ?",
            [(encode(port).decode(), port.id) for port in ports],
        )

    def delete(self, port: Port, trace: str) -> Saved:
        TABLE.delete(self._connection, [port.id])
        self._drop_addresses(port.id)
        self._drop_groups(port.id)
        self._drop_policy(port.id)
        self._connection.execute("DELETE FROM port_binding WHERE port_id = ?", (port.id,))
        first = outbox.take(self._connection, 1)
        self._tell([Change(intent.key(port.id), None, first, trace)])
        return Saved([], first)

    def bindings(self, port_id: str) -> Bindings:
        rows = self._connection.execute(
            "SELECT doc FROM port_binding WHERE port_id = ? ORDER BY host", (port_id,)
        )
        return [_decode_binding(doc) for (doc,) in rows]

    def save_bindings(self, port_id: str, waiting: Bindings) -> None:
        self._connection.execute("DELETE FROM port_binding WHERE port_id = ?", (port_id,))
        rows = [(port_id, each.host, _encode_binding(each).decode()) for each in waiting]
        self._insert("port_binding", "port_id, host, doc", rows)

    def sequence(self) -> int:
        return outbox.last(self._connection)

    def save_place(self, place: Place) -> None:
        self._connection.execute(
            "UPDATE mac_place SET number = ?, first = ?, count = ?, next = ?", place
        )

    def fenced(self, ids: Sequence[str]) -> set[str]:
        return fences.fenced(self._connection, ids) if ids else set()

    def fence(self, ids: Iterable[str]) -> None:
        fences.fence(self._connection, ids)

    def lift(self, ids: Iterable[str]) -> None:
        fences.lift(self._connection, ids)

    def networks_used(self, ids: Sequence[str]) -> set[str]:
        return self._among(
            "SELECT value FROM json_each(?) "
            "WHERE EXISTS (SELECT 1 FROM port WHERE network_id = value)",
            ids,
        )

    def ports_on(self, network_ids: Sequence[str], count_max: int) -> list[str]:
        rows = self._connection.execute(
            "SELECT port.id FROM json_each(?) CROSS JOIN port ON network_id = value LIMIT ?",
            (each_of(network_ids), count_max),
        )
        return [id_ for (id_,) in rows]

    def subnets_used(self, ids: Sequence[str]) -> set[str]:
        return self._among(
            "SELECT value FROM json_each(?) "
            "WHERE EXISTS (SELECT 1 FROM port_address WHERE subnet_id = value)",
            ids,
        )

    def routed(self, ids: Sequence[str]) -> set[str]:
        owners = sorted(ROUTER_OWNERS)
        statement = (
            "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM port_address "
            "CROSS JOIN port ON port.id = port_id WHERE subnet_id = value AND "
            f"json_extract(doc, '$.device_owner') IN ({', '.join('?' * len(owners))}))"
        )
        rows = self._connection.execute(statement, (each_of(ids), *owners))
        return {value for (value,) in rows}

    def addresses_held(self, subnet_ids: Sequence[str]) -> dict[str, int]:
        rows = self._connection.execute(
            "SELECT value, count(*) FROM json_each(?) CROSS JOIN port_address "
            "ON port_address.subnet_id = value GROUP BY value",
            (each_of(subnet_ids),),
        )
        return dict(rows.fetchall())

    def bound_to(self, hosts: Sequence[str]) -> dict[str, int]:
        rows = self._connection.execute(
            "SELECT value, (SELECT count(*) FROM port WHERE host = value AND host <> '') "
            "+ (SELECT count(*) FROM port_binding WHERE host = value) FROM json_each(?)",
            (each_of(hosts),),
        )
        return {host: count for host, count in rows if count}

    def ports_of_subnet(self, subnet_id: str, limit: int) -> list[Port]:
        statement = "SELECT DISTINCT port_id FROM port_address WHERE subnet_id = ? LIMIT ?"
        rows = self._connection.execute(statement, (subnet_id, limit))
        return list(self.ports([port_id for (port_id,) in rows]).values())

    def ports_lacking(
        self, network_id: str, subnet_id: str, after: str, limit: int
    ) -> list[tuple[str, str]]:
        statement = (
            "SELECT id, json_extract(doc, '$.device_owner') FROM port "
            "WHERE network_id = ? AND id > ? AND NOT EXISTS (SELECT 1 FROM port_address "
            "WHERE port_id = port.id AND subnet_id = ?) ORDER BY id LIMIT ?"
        )
        return self._connection.execute(statement, (network_id, after, subnet_id, limit)).fetchall()

    def ports_at(self, subnet_id: str, address: str) -> list[str]:
        statement = "SELECT port_id FROM port_address WHERE subnet_id = ? AND address = ?"
        rows = self._connection.execute(statement, (subnet_id, address))
        return [port_id for (port_id,) in rows]

    def groups_used(self, ids: Sequence[str]) -> set[str]:
        return self._among(
            "SELECT value FROM json_each(?) "
            "WHERE EXISTS (SELECT 1 FROM port_group WHERE group_id = value)",
            ids,
        )

    def policies_used(self, ids: Sequence[str]) -> set[str]:
        return self._among(
            "SELECT value FROM json_each(?) "
            "WHERE EXISTS (SELECT 1 FROM port_policy WHERE policy_id = value)",
            ids,
        )

    def unsettle(self, port_ids: Iterable[str]) -> None:
        self._each("INSERT OR IGNORE INTO unsettled VALUES (?)", port_ids)

    def settled(self, port_ids: Iterable[str]) -> None:
        self._each("DELETE FROM unsettled WHERE port_id = ?", port_ids)

    def unsettled(self, limit: int) -> list[str]:
        rows = self._connection.execute("SELECT port_id FROM unsettled LIMIT ?", (limit,))
        return [port_id for (port_id,) in rows]

    def _tell(self, changes: Sequence[Change]) -> None:
        outbox.save(self._connection, changes)
        self.told += changes

    def _add_addresses(self, ports: Iterable[Port]) -> None:
        rows = [(ip.subnet_id, ip.ip_address, port.id) for port in ports for ip in port.fixed_ips]
        self._insert("port_address", "subnet_id, address, port_id", rows)

    def _drop_addresses(self, port_id: str) -> None:
        self._connection.execute("DELETE FROM port_address WHERE port_id = ?", (port_id,))

    def _add_groups(self, ports: Iterable[Port]) -> None:
        rows = [(group, port.id) for port in ports for group in port.security_groups]
        self._insert("port_group", "group_id, port_id", rows)

    def _drop_groups(self, port_id: str) -> None:
        self._connection.execute("DELETE FROM port_group WHERE port_id = ?", (port_id,))

    def _add_policies(self, ports: Iterable[Port]) -> None:
        rows = [(port.qos_policy_id, port.id) for port in ports if port.qos_policy_id]
        self._insert("port_policy", "policy_id, port_id", rows)

    def _drop_policy(self, port_id: str) -> None:
        self._connection.execute("DELETE FROM port_policy WHERE port_id = ?", (port_id,))

    def _insert(self, table: str, columns: str, rows: Sequence[Sequence[str]]) -> None:
        for insertion in insertions(table, columns, rows):
            self._connection.execute(*insertion)

    def _among(self, statement: str, ids: Sequence[str]) -> set[str]:
        if not ids:
            return set()
        return {value for (value,) in self._connection.execute(statement, (each_of(ids),))}

    def _each(self, statement: str, ids: Iterable[str]) -> None:
        self._connection.executemany(statement, [(id_,) for id_ in ids])


def _change(port: Port, sequence: int, trace: str, waiting_hosts: Sequence[str] = ()) -> Change:
    return Change(intent.key(port.id), intent.encoded(port, waiting_hosts), sequence, trace)


def _waiting_hosts(
    connection: sqlite3.Connection, ports: Iterable[Port]
) -> Mapping[str, Sequence[str]]:
    """The hosts of bindings that wait, by port; a sub-port's are its parent's."""
    bound = {p.id: p.trunk_subport.port_id if p.trunk_subport else p.id for p in ports}
    statement = (
        "SELECT port_id, host FROM json_each(?) CROSS JOIN port_binding ON port_id = value "
        "ORDER BY host"
    )
    hosts: dict[str, list[str]] = {}
    for port_id, host in connection.execute(statement, (each_of(sorted({*bound.values()})),)):
        hosts.setdefault(port_id, []).append(host)
    return {port_id: hosts[whose] for port_id, whose in bound.items() if whose in hosts}


def _landlord(port: Port, owner_by_network: Mapping[str, str]) -> str:
    owner = owner_by_network.get(port.network_id, "")
    return "" if owner == port.project_id else owner


def _row(port: Port, sequence: int, landlord: str = "") -> Row:
    return Row(port.id, _columns(port), sequence, encode(port), (landlord,))


def _columns(port: Port) -> tuple[str, ...]:
    return (
        port.project_id,
        port.network_id,
        port.mac_address,
        port.device_id,
        port.host,
        port.name,
    )
