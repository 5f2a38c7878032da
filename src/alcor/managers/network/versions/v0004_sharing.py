"""Who may see and use networks beside their owners."""

from alembic import op

from alcor.runtime.tables import sharing

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for statement in sharing.SCHEMA:
        op.execute(statement)
