"""Routers, the ports that they hold, and what was begun with a port and not finished.

A router is on a subnet by one port. `undo` is a value of `needs.Undo`.
"""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage

SCHEMA = (
    "CREATE TABLE router (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX router_project ON router (project_id, id)",
    "CREATE INDEX router_name ON router (name, id)",
    "CREATE TABLE attachment (port_id TEXT PRIMARY KEY, router_id TEXT NOT NULL, "
    "network_id TEXT NOT NULL, is_gateway INTEGER NOT NULL)",
    "CREATE INDEX attachment_router ON attachment (router_id, port_id)",
    "CREATE UNIQUE INDEX attachment_gateway ON attachment (router_id) WHERE is_gateway = 1",
    "CREATE TABLE place (port_id TEXT NOT NULL, number INTEGER NOT NULL, subnet_id TEXT NOT NULL, "
    "cidr TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (port_id, number))",
    "CREATE INDEX place_subnet ON place (subnet_id, port_id)",
    "CREATE TABLE unsettled (port_id TEXT PRIMARY KEY, router_id TEXT NOT NULL, "
    "undo TEXT NOT NULL)",
    *usage.SCHEMA,
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
