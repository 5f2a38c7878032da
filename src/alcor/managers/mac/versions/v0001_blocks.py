"""Blocks and who holds them."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE counter (last INTEGER NOT NULL)",
    "INSERT INTO counter VALUES (0)",
    "CREATE TABLE block (owner TEXT NOT NULL, after INTEGER NOT NULL, number INTEGER NOT NULL, "
    "PRIMARY KEY (owner, after)) WITHOUT ROWID",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
