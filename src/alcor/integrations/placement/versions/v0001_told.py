"""The resource providers that Placement was given, a row a host."""

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = (
    "CREATE TABLE told (host TEXT PRIMARY KEY, is_whole INTEGER NOT NULL, doc TEXT NOT NULL) "
    "WITHOUT ROWID",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
