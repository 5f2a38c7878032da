"""Local IPs, the ports that have them, and the ports that were made for them."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE local_ip (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, "
    "network_id TEXT NOT NULL, local_port_id TEXT NOT NULL, sequence INTEGER NOT NULL, "
    "doc TEXT NOT NULL)",
    "CREATE INDEX local_ip_project ON local_ip (project_id, id)",
    "CREATE INDEX local_ip_port ON local_ip (local_port_id)",
    "CREATE TABLE local_ip_association (id TEXT PRIMARY KEY, local_ip_id TEXT NOT NULL, "
    "fixed_port_id TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX local_ip_association_of ON local_ip_association (local_ip_id)",
    "CREATE INDEX local_ip_association_port ON local_ip_association (fixed_port_id)",
    "CREATE TABLE local_ip_own_port (port_id TEXT NOT NULL PRIMARY KEY, local_ip_id TEXT NOT NULL)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
