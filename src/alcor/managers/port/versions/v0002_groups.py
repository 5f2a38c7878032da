"""Which ports are in which security groups."""

from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = (
    "CREATE TABLE port_group (group_id TEXT NOT NULL, port_id TEXT NOT NULL, "
    "PRIMARY KEY (group_id, port_id)) WITHOUT ROWID",
    "CREATE INDEX port_group_port ON port_group (port_id)",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
