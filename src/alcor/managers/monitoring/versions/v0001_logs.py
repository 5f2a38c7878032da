"""Logs, and the ports and security groups that they are about."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE log (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, resource_id TEXT, "
    "target_id TEXT, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX log_project ON log (project_id, id)",
    "CREATE INDEX log_resource ON log (resource_id, id)",
    "CREATE INDEX log_target ON log (target_id, id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
