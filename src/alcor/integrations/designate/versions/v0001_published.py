"""The record sets that Designate was given."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE published (project TEXT NOT NULL, zone TEXT NOT NULL, name TEXT NOT NULL, "
    "type TEXT NOT NULL, records TEXT NOT NULL, PRIMARY KEY (project, zone, name, type)) "
    "WITHOUT ROWID",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
