"""Which ports have which tags."""

from alembic import op

from alcor.runtime.tables import tag_index

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for statement in tag_index.schema_of("port"):
        op.execute(statement)
