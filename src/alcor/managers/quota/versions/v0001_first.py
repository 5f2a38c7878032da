"""The limits of projects that have some of their own; the id is the project's."""

from alembic import op

from alcor.intent import outbox

revision = "0001"
down_revision = None

SCHEMA = ("CREATE TABLE quota (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",)


def upgrade() -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        op.execute(statement)
