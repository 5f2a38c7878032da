"""The resource providers that Placement was given, a row a host."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE told (host TEXT PRIMARY KEY, is_whole INTEGER NOT NULL, doc TEXT NOT NULL) "
    "WITHOUT ROWID",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
