"""Which ports have which name and device: in tables that cost a bulk less than indexes do."""

from alembic import op

from alcor.runtime.tables import scattered_index

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for statement in scattered_index.schema_of("port", ("device_id", "name")):
        op.execute(statement)
