"""Nodes: one a host; no two hosts have one tunnel endpoint."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE node (id TEXT PRIMARY KEY, tunnel_ip TEXT NOT NULL UNIQUE, "
    "agent_id TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
