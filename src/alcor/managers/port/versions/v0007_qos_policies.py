"""Which ports have which QoS policies."""

from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = (
    "CREATE TABLE port_policy (policy_id TEXT NOT NULL, port_id TEXT NOT NULL, "
    "PRIMARY KEY (policy_id, port_id)) WITHOUT ROWID",
    "CREATE INDEX port_policy_port ON port_policy (port_id)",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
