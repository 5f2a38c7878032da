"""Ports on networks of others: whose network it is, and who may use what is shared.

`landlord` is the project of the port's network where it is not the port's own: it sees the port.
`confined` has who may use a network or a security group, once that has been changed.
"""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "ALTER TABLE port ADD COLUMN landlord TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX port_landlord ON port (landlord, id) WHERE landlord <> ''",
    "CREATE TABLE confined (id TEXT PRIMARY KEY, allowed TEXT NOT NULL) WITHOUT ROWID",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
