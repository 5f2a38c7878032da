"""Pools, blocks of addresses, leases."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    # cursor and number are hexadecimal text: IPv6 outgrows SQLite's integers.
    "CREATE TABLE pool (subnet_id TEXT PRIMARY KEY, network_id TEXT NOT NULL, cidr TEXT NOT NULL, "
    "ranges TEXT NOT NULL, reserved TEXT NOT NULL, cursor TEXT NOT NULL, used INTEGER NOT NULL) "
    "WITHOUT ROWID",
    "CREATE INDEX pool_network ON pool (network_id)",
    "CREATE TABLE block (subnet_id TEXT NOT NULL, number TEXT NOT NULL, bits BLOB NOT NULL, "
    "free INTEGER NOT NULL, PRIMARY KEY (subnet_id, number)) WITHOUT ROWID",
    "CREATE INDEX block_full ON block (subnet_id, number) WHERE free = 0",
    "CREATE TABLE lease (subnet_id TEXT NOT NULL, address TEXT NOT NULL, owner TEXT NOT NULL, "
    "leased_at INTEGER NOT NULL, renewed INTEGER NOT NULL DEFAULT 0, "
    "trusted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (subnet_id, address)) WITHOUT ROWID",
    "CREATE INDEX lease_owner ON lease (owner)",
    "CREATE INDEX lease_suspect ON lease (leased_at) WHERE trusted = 0",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
