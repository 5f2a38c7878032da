"""The project of a subnet's network where it is not the subnet's own: it sees the subnet."""

from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = (
    "ALTER TABLE subnet ADD COLUMN landlord TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX subnet_landlord ON subnet (landlord, id) WHERE landlord <> ''",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
