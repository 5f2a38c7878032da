"""Flavors, service profiles, and which profiles a flavor has (in its document)."""

from alembic import op

from alcor.intent import outbox

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE flavor (id TEXT PRIMARY KEY, name TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE TABLE service_profile (id TEXT PRIMARY KEY, driver TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
)


def upgrade() -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        op.execute(statement)
