"""Metering labels and their rules."""

from alembic import op

from alcor.intent import outbox

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE metering_label (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "name TEXT NOT NULL, shared INTEGER NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX metering_label_project ON metering_label (project_id, id)",
    "CREATE TABLE metering_label_rule (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "metering_label_id TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX metering_label_rule_project ON metering_label_rule (project_id, id)",
    "CREATE INDEX metering_label_rule_label ON metering_label_rule (metering_label_id)",
)


def upgrade() -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        op.execute(statement)
