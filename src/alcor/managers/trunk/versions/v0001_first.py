"""Trunks, their sub-ports, and ports that were begun with and not finished."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage

SCHEMA = (
    "CREATE TABLE trunk (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, "
    "port_id TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX trunk_project ON trunk (project_id, id)",
    "CREATE INDEX trunk_name ON trunk (name, id)",
    "CREATE UNIQUE INDEX trunk_port ON trunk (port_id)",
    "CREATE TABLE unsettled (trunk_id TEXT NOT NULL, port_id TEXT NOT NULL, "
    "PRIMARY KEY (trunk_id, port_id))",
    *usage.SCHEMA,
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
