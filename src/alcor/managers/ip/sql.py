"""The IP manager's store: SQLite.

The unique (subnet, address) row of `lease` is the law; the bits of `block` say the same, compactly,
and change in the same transaction. CROSS JOIN keeps SQLite from turning a join round: each id is
looked up, whatever the table's size.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence, Set
from typing import TypeVar

import msgspec

from alcor.managers.ip.ledger import Held
from alcor.managers.ip.model import AddressPool, Range, Space, block_size
from alcor.managers.ip.needs import Suspect, Transaction
from alcor.runtime.sql.database import Database
from alcor.values.addresses import Address, prefix
from alcor.values.addresses import address as parse
from alcor.values.rows import insertions

T = TypeVar("T")

_json = msgspec.json.encode
_ranges = msgspec.json.Decoder(list[tuple[str, str]]).decode
_reserved = msgspec.json.Decoder(list[str]).decode


class SqlStore:
    """The store on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.write(lambda connection: work(SqlTransaction(connection)))

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.read(lambda connection: work(SqlTransaction(connection)))


class SqlBlocks:
    """The blocks of one subnet as the table has them."""

    def __init__(self, connection: sqlite3.Connection, subnet_id: str) -> None:
        self._connection = connection
        self._subnet_id = subnet_id

    def bits(self, block: int) -> int:
        row = self._connection.execute(
            "SELECT bits FROM block WHERE subnet_id = ? AND number = ?",
            (self._subnet_id, f"{block:x}"),
        ).fetchone()
        return 0 if row is None else int.from_bytes(row[0], "little")

    def full(self) -> Set[int]:
        rows = self._connection.execute(
            "SELECT number FROM block WHERE subnet_id = ? AND free = 0", (self._subnet_id,)
        )
        return {int(number, 16) for (number,) in rows}


class SqlTransaction:
    """One transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def spaces(self, subnet_ids: Iterable[str]) -> dict[str, Space]:
        rows = self._connection.execute(
            "SELECT subnet_id, network_id, cidr, ranges, reserved, cursor, used "
            "FROM json_each(?) CROSS JOIN pool ON subnet_id = value",
            (_json(list(subnet_ids)).decode(),),
        )
        return {row[0]: self._space(row) for row in rows}

    def _space(self, row: tuple[str, str, str, str, str, str, int]) -> Space:
        subnet_id, network_id, cidr, ranges, reserved, cursor, used = row
        pool = AddressPool(
            subnet_id,
            network_id,
            prefix(cidr),
            tuple(Range(int(first, 16), int(last, 16)) for first, last in _ranges(ranges)),
            frozenset(int(number, 16) for number in _reserved(reserved)),
        )
        return Space(pool, int(cursor, 16), used, SqlBlocks(self._connection, subnet_id))

    def subnets_of(self, network_ids: Iterable[str]) -> dict[str, set[str]]:
        rows = self._connection.execute(
            "SELECT network_id, subnet_id FROM json_each(?) CROSS JOIN pool ON network_id = value",
            (_json(list(network_ids)).decode(),),
        )
        found: dict[str, set[str]] = {}
        for network_id, subnet_id in rows:
            found.setdefault(network_id, set()).add(subnet_id)
        return found

    def held(self, owners: Iterable[str]) -> list[Held]:
        rows = self._connection.execute(
            "SELECT owner, subnet_id, address FROM json_each(?) CROSS JOIN lease ON owner = value",
            (_json(list(owners)).decode(),),
        )
        return [Held(owner, subnet_id, parse(text)) for owner, subnet_id, text in rows]

    def holder(self, subnet_id: str, address: Address) -> str | None:
        row = self._connection.execute(
            "SELECT owner FROM lease WHERE subnet_id = ? AND address = ?",
            (subnet_id, str(address)),
        ).fetchone()
        return None if row is None else str(row[0])

    def save_pool(self, pool: AddressPool) -> None:
        blocks = SqlBlocks(self._connection, pool.subnet_id)
        space = Space(pool, 0, 0, blocks)
        rows = self._connection.execute(
            "SELECT number FROM block WHERE subnet_id = ?", (pool.subnet_id,)
        )
        kept = [int(number, 16) for (number,) in rows]
        self._connection.execute(
            "INSERT INTO pool VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (subnet_id) DO UPDATE SET "
            "cidr = excluded.cidr, ranges = excluded.ranges, reserved = excluded.reserved, "
            "used = excluded.used",
            (
                pool.subnet_id,
                pool.network_id,
                str(pool.prefix),
                _json([(f"{r.first:x}", f"{r.last:x}") for r in pool.ranges]).decode(),
                _json([f"{number:x}" for number in pool.reserved]).decode(),
                f"{pool.ranges[0].first if pool.ranges else pool.prefix.first:x}",
                sum(space.used_in(block) for block in kept),
            ),
        )
        self._save_blocks(space, kept)

    def drop_pool(self, subnet_id: str) -> None:
        for table in ("lease", "block", "pool"):
            self._connection.execute(f"DELETE FROM {table} WHERE subnet_id = ?", (subnet_id,))

    def save_leases(
        self, new: Sequence[Held], repeated: Sequence[Held], spaces: Iterable[Space], at: int
    ) -> None:
        rows = [(subnet_id, str(address), owner, at) for owner, subnet_id, address in new]
        for insertion in insertions("lease", "subnet_id, address, owner, leased_at", rows):
            self._connection.execute(*insertion)
        self._connection.executemany(
            "UPDATE lease SET renewed = renewed + 1, leased_at = ?, trusted = 0 "
            "WHERE subnet_id = ? AND address = ?",
            [(at, lease.subnet_id, str(lease.address)) for lease in repeated],
        )
        self._save_spaces(spaces)

    def delete_leases(self, leases: Iterable[Held]) -> None:
        wanted = list(leases)
        spaces = self.spaces({lease.subnet_id for lease in wanted})
        for owner, subnet_id, address in wanted:
            if self._connection.execute(
                "DELETE FROM lease WHERE subnet_id = ? AND address = ? AND owner = ?",
                (subnet_id, str(address), owner),
            ).rowcount:
                spaces[subnet_id].give_back(address.number)
        self._save_spaces(spaces.values())

    def suspects(self, before: int, limit: int) -> list[Suspect]:
        rows = self._connection.execute(
            "SELECT owner, subnet_id, address, renewed FROM lease "
            "WHERE trusted = 0 AND leased_at < ? ORDER BY leased_at LIMIT ?",
            (before, limit),
        )
        return [Suspect(Held(o, s, parse(text)), renewed) for o, s, text, renewed in rows]

    def unchanged(self, suspects: Iterable[Suspect]) -> list[Held]:
        return [lease for lease, renewed in suspects if self._renewed(lease) == renewed]

    def _renewed(self, lease: Held) -> int | None:
        row = self._connection.execute(
            "SELECT renewed FROM lease WHERE subnet_id = ? AND address = ? AND owner = ?",
            (lease.subnet_id, str(lease.address), lease.owner),
        ).fetchone()
        return None if row is None else int(row[0])

    def trust(self, leases: Iterable[Held]) -> None:
        self._connection.executemany(
            "UPDATE lease SET trusted = 1 WHERE subnet_id = ? AND address = ?",
            [(lease.subnet_id, str(lease.address)) for lease in leases],
        )

    def _save_spaces(self, spaces: Iterable[Space]) -> None:
        for space in spaces:
            if space.changed:
                self._connection.execute(
                    "UPDATE pool SET cursor = ?, used = ? WHERE subnet_id = ?",
                    (f"{space.cursor:x}", space.used, space.pool.subnet_id),
                )
                self._save_blocks(space, space.changed)

    def _save_blocks(self, space: Space, blocks: Iterable[int]) -> None:
        self._connection.executemany(
            "INSERT INTO block VALUES (?, ?, ?, ?) "
            "ON CONFLICT (subnet_id, number) "
            "DO UPDATE SET bits = excluded.bits, free = excluded.free",
            [
                (
                    space.pool.subnet_id,
                    f"{block:x}",
                    space.bits(block).to_bytes(block_size // 8, "little"),
                    space.free_in(block),
                )
                for block in blocks
            ],
        )
