"""Every segment of every network; of each subnet the segment that it is of.

Networks that are there already get the rows of their first segments when the manager begins
(`tables/segments.py`), as those do that the release before makes meanwhile. It goes on with
`segment_note`, which is read then.
"""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = (
    "CREATE TABLE segment (id TEXT PRIMARY KEY, network_id TEXT NOT NULL, "
    "network_type TEXT NOT NULL, physical_network TEXT, "
    "vni INTEGER NOT NULL UNIQUE, name TEXT, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX segment_network ON segment (network_id, id)",
    "ALTER TABLE network_subnet ADD COLUMN segment_id TEXT NOT NULL DEFAULT ''",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
