"""Subnets, the networks that may have no new ones, and pools that may differ from their subnet.

`unsettled` names subnets whose pools the IP manager may hold otherwise than the row says, or whose
fences may stand though nobody deletes them: whoever finds one settles it.
"""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE subnet (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, "
    "network_id TEXT NOT NULL, name TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX subnet_project ON subnet (project_id, id)",
    "CREATE INDEX subnet_network ON subnet (network_id, id)",
    "CREATE INDEX subnet_name ON subnet (name, id)",
    "CREATE TABLE network_fence (network_id TEXT PRIMARY KEY)",
    "CREATE TABLE unsettled (subnet_id TEXT PRIMARY KEY)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
