"""Which subnet pools have which tags."""

from alembic import op

from alcor.runtime.tables import tag_index

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for statement in tag_index.schema_of("subnetpool"):
        op.execute(statement)
