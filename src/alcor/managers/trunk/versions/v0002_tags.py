"""Which trunks have which tags."""

from alembic import op

from alcor.runtime.tables import tag_index

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for statement in tag_index.schema_of("trunk"):
        op.execute(statement)
