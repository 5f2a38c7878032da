"""From where on the ids of each range are tried, as those of the region's VNIs were."""

from alcor.runtime.sql.migrations import Upgraded

# The id of the default range: the region's VNIs. The release before goes on with `vni_cursor`.
REGION = "c48c6d9f-e69d-5743-a24d-ea7c3117a697"

SCHEMA = (
    "CREATE TABLE segment_cursor (source TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
    f"INSERT INTO segment_cursor SELECT '{REGION}', next FROM vni_cursor",
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
