"""What was made for which project."""

from alembic import op

from alcor.intent import outbox

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE auto_allocated_topology (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, "
    "doc TEXT NOT NULL)",
)


def upgrade() -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        op.execute(statement)
