"""Which subnets have which tags."""

from alembic import op

from alcor.runtime.tables import tag_index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for statement in tag_index.schema_of("subnet"):
        op.execute(statement)
