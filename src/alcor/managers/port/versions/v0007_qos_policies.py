"""Which ports have which QoS policies."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE port_policy (policy_id TEXT NOT NULL, port_id TEXT NOT NULL, "
    "PRIMARY KEY (policy_id, port_id)) WITHOUT ROWID",
    "CREATE INDEX port_policy_port ON port_policy (port_id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
