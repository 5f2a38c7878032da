"""What Nova knows of each port of a machine."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE told (port_id TEXT NOT NULL PRIMARY KEY, server TEXT NOT NULL, "
    "state TEXT NOT NULL, host TEXT NOT NULL, addresses TEXT NOT NULL) WITHOUT ROWID",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
