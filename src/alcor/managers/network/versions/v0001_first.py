"""Networks, and which subnets each has.

`vni` is unique for ever: a VNI is never on two networks. `deleting` marks a network whose
deletion has begun and must be finished, or taken back, by whoever finds the mark.
"""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE network (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, "
    "vni INTEGER NOT NULL UNIQUE, deleting INTEGER NOT NULL DEFAULT 0, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX network_project ON network (project_id, id)",
    "CREATE INDEX network_name ON network (name, id)",
    "CREATE INDEX network_deleting ON network (id) WHERE deleting <> 0",
    # The next VNI to try: it goes round, so that one just freed is not given out again at once.
    "CREATE TABLE vni_cursor (next INTEGER NOT NULL)",
    "INSERT INTO vni_cursor VALUES (1)",
    "CREATE TABLE network_subnet (subnet_id TEXT PRIMARY KEY, network_id TEXT NOT NULL)",
    "CREATE INDEX network_subnet_network ON network_subnet (network_id, subnet_id)",
)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
