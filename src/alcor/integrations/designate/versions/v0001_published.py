"""The record sets that Designate was given."""

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE published (project TEXT NOT NULL, zone TEXT NOT NULL, name TEXT NOT NULL, "
    "type TEXT NOT NULL, records TEXT NOT NULL, PRIMARY KEY (project, zone, name, type)) "
    "WITHOUT ROWID",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
