"""Which ports are in which security groups."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE port_group (group_id TEXT NOT NULL, port_id TEXT NOT NULL, "
    "PRIMARY KEY (group_id, port_id)) WITHOUT ROWID",
    "CREATE INDEX port_group_port ON port_group (port_id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
