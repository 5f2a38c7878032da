"""Whose routers may leave by a network, once that has been changed."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE TABLE confined (id TEXT PRIMARY KEY, allowed TEXT NOT NULL) WITHOUT ROWID")
