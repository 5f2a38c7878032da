"""Blocks and who holds them."""

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE counter (last INTEGER NOT NULL)",
    "INSERT INTO counter VALUES (0)",
    "CREATE TABLE block (owner TEXT NOT NULL, after INTEGER NOT NULL, number INTEGER NOT NULL, "
    "PRIMARY KEY (owner, after)) WITHOUT ROWID",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
