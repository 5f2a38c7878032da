"""Routers' conntrack helpers."""

from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = (
    "CREATE TABLE conntrack_helper (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "router_id TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX conntrack_helper_router ON conntrack_helper (router_id, id)",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
