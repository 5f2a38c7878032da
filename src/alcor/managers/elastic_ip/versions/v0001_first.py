"""Floating IPs, port forwardings, fenced hops, and ports that were begun with and not finished.

A fixed address has one floating IP of a network. `interface_port_id` and `gateway_port_id` are the
hops of the router that translates, empty when there is none.
"""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage

SCHEMA = (
    "CREATE TABLE floatingip (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "floating_network_id TEXT NOT NULL, floating_ip_address TEXT NOT NULL, port_id TEXT, "
    "fixed_ip_address TEXT, router_id TEXT, holder_port_id TEXT NOT NULL, "
    "mac_address TEXT NOT NULL, interface_port_id TEXT NOT NULL, gateway_port_id TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX floatingip_project ON floatingip (project_id, id)",
    "CREATE INDEX floatingip_address ON floatingip (floating_ip_address, id)",
    "CREATE INDEX floatingip_port ON floatingip (port_id, id)",
    "CREATE INDEX floatingip_router ON floatingip (router_id, id)",
    "CREATE INDEX floatingip_interface ON floatingip (interface_port_id)",
    "CREATE INDEX floatingip_gateway ON floatingip (gateway_port_id)",
    "CREATE UNIQUE INDEX floatingip_association "
    "ON floatingip (floating_network_id, port_id, fixed_ip_address) WHERE port_id IS NOT NULL",
    "CREATE TABLE port_forwarding (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "floatingip_id TEXT NOT NULL, internal_port_id TEXT NOT NULL, router_id TEXT NOT NULL, "
    "interface_port_id TEXT NOT NULL, gateway_port_id TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX port_forwarding_floatingip ON port_forwarding (floatingip_id, id)",
    "CREATE INDEX port_forwarding_port ON port_forwarding (internal_port_id, id)",
    "CREATE INDEX port_forwarding_interface ON port_forwarding (interface_port_id)",
    "CREATE INDEX port_forwarding_gateway ON port_forwarding (gateway_port_id)",
    "CREATE TABLE fence (id TEXT PRIMARY KEY)",
    "CREATE TABLE unsettled (port_id TEXT PRIMARY KEY, floatingip_id TEXT NOT NULL)",
    *usage.SCHEMA,
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
