"""Which networks have which tags."""

from alembic import op

from alcor.runtime.tables import tag_index

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for statement in tag_index.schema_of("network"):
        op.execute(statement)
