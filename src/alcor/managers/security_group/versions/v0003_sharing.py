"""Who may see and use security groups and address groups beside their owners."""

from alembic import op

from alcor.runtime.tables import sharing

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for statement in sharing.SCHEMA:
        op.execute(statement)
