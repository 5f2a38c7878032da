"""Ports, their addresses, usage, fences, what is still to be settled, and the place in a block.

Indexes: a MAC is unique in its network; lists by project, device, host and name are common.
"""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE port (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, network_id TEXT NOT NULL, "
    "mac_address TEXT NOT NULL, device_id TEXT NOT NULL, host TEXT NOT NULL, name TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE UNIQUE INDEX port_mac ON port (network_id, mac_address)",
    "CREATE INDEX port_project ON port (project_id, id)",
    "CREATE INDEX port_device ON port (device_id, id) WHERE device_id <> ''",
    "CREATE INDEX port_host ON port (host, id) WHERE host <> ''",
    "CREATE INDEX port_name ON port (name, id) WHERE name <> ''",
    "CREATE TABLE port_address (subnet_id TEXT NOT NULL, address TEXT NOT NULL, "
    "port_id TEXT NOT NULL, PRIMARY KEY (subnet_id, address)) WITHOUT ROWID",
    "CREATE INDEX port_address_port ON port_address (port_id)",
    "CREATE INDEX port_address_address ON port_address (address)",
    "CREATE TABLE usage (project_id TEXT PRIMARY KEY, ports INTEGER NOT NULL) WITHOUT ROWID",
    # Of a network, a subnet, or a port that never came to be: nothing may refer to it any more.
    "CREATE TABLE fence (id TEXT PRIMARY KEY) WITHOUT ROWID",
    # Ports whose leases may differ from their row: the IP manager must be told what they hold.
    "CREATE TABLE unsettled (port_id TEXT PRIMARY KEY) WITHOUT ROWID",
    # The block of MACs that is being given out, and the next of it.
    "CREATE TABLE mac_place (number INTEGER NOT NULL, first INTEGER NOT NULL, "
    "count INTEGER NOT NULL, next INTEGER NOT NULL)",
    "INSERT INTO mac_place VALUES (0, 0, 0, 0)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
