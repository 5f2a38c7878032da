"""How many subnets each project has."""

from alembic import op

from alcor.runtime.tables import usage

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for statement in usage.schema_of("subnet"):
        op.execute(statement)
