"""The bindings of ports that wait to be activated, or to be deleted."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE port_binding (port_id TEXT NOT NULL, host TEXT NOT NULL, doc TEXT NOT NULL, "
    "PRIMARY KEY (port_id, host)) WITHOUT ROWID",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
