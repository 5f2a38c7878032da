"""The ports of a network in order of id: a page of them costs the same in a table of any size."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE INDEX port_network ON port (network_id, id)")
