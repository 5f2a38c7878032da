"""What operators say of networks' segments."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE segment_note (network_id TEXT PRIMARY KEY, name TEXT, "
    "description TEXT NOT NULL, revision_number INTEGER NOT NULL, updated_at TEXT NOT NULL)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
