"""Ranges of segmentation ids."""

from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = (
    "CREATE TABLE network_segment_range (id TEXT PRIMARY KEY, project_id TEXT, "
    "name TEXT NOT NULL, network_type TEXT NOT NULL, shared INTEGER NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
