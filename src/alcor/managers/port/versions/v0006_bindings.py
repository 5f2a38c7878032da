"""The bindings of ports that wait to be activated, or to be deleted."""

from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = (
    "CREATE TABLE port_binding (port_id TEXT NOT NULL, host TEXT NOT NULL, doc TEXT NOT NULL, "
    "PRIMARY KEY (port_id, host)) WITHOUT ROWID",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
