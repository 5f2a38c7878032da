"""What was made for which project."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE auto_allocated_topology (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, "
    "doc TEXT NOT NULL)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
