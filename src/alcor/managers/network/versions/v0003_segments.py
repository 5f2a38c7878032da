"""The VLANs that networks have, and of each subnet its family and the revision last seen."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE physical_segment (physical_network TEXT NOT NULL, vlan INTEGER NOT NULL, "
    "network_id TEXT NOT NULL UNIQUE, PRIMARY KEY (physical_network, vlan)) WITHOUT ROWID",
    "ALTER TABLE network_subnet ADD COLUMN ip_version INTEGER NOT NULL DEFAULT 4",
    "ALTER TABLE network_subnet ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
