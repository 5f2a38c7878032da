"""Metering labels and their rules."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE metering_label (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "name TEXT NOT NULL, shared INTEGER NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX metering_label_project ON metering_label (project_id, id)",
    "CREATE TABLE metering_label_rule (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "metering_label_id TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX metering_label_rule_project ON metering_label_rule (project_id, id)",
    "CREATE INDEX metering_label_rule_label ON metering_label_rule (metering_label_id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
