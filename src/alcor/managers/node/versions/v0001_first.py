"""Nodes: one a host; no two hosts have one tunnel endpoint."""

from alembic import op

from alcor.intent import outbox

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE node (id TEXT PRIMARY KEY, tunnel_ip TEXT NOT NULL UNIQUE, "
    "agent_id TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
)


def upgrade() -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        op.execute(statement)
