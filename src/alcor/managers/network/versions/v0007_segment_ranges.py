"""Ranges of segmentation ids."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE network_segment_range (id TEXT PRIMARY KEY, project_id TEXT, "
    "name TEXT NOT NULL, network_type TEXT NOT NULL, shared INTEGER NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
