"""What operators say of networks' segments."""

from alembic import op

revision = "0008"
down_revision = "0007"

SCHEMA = (
    "CREATE TABLE segment_note (network_id TEXT PRIMARY KEY, name TEXT, "
    "description TEXT NOT NULL, revision_number INTEGER NOT NULL, updated_at TEXT NOT NULL)",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
