"""The pool that each subnet is of, and the address scope of each pool."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "ALTER TABLE network_subnet ADD COLUMN pool_id TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX network_subnet_pool ON network_subnet (pool_id) WHERE pool_id <> ''",
    "CREATE TABLE pool_scope (pool_id TEXT PRIMARY KEY, scope_id TEXT NOT NULL) WITHOUT ROWID",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
