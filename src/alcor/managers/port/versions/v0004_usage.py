"""How many ports each project has, counted as every manager counts."""

from alembic import op

from alcor.runtime.tables import usage

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for statement in (*usage.schema_of("port"), "DROP TABLE usage"):
        op.execute(statement)
