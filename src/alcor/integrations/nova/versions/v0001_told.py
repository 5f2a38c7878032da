"""What Nova knows of each port of a machine."""

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE told (port_id TEXT NOT NULL PRIMARY KEY, server TEXT NOT NULL, "
    "state TEXT NOT NULL, host TEXT NOT NULL, addresses TEXT NOT NULL) WITHOUT ROWID",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
