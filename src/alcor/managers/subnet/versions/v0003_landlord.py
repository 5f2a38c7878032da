"""The project of a subnet's network where it is not the subnet's own: it sees the subnet."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "ALTER TABLE subnet ADD COLUMN landlord TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX subnet_landlord ON subnet (landlord, id) WHERE landlord <> ''",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
