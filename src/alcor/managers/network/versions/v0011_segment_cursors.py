"""From where on the ids of each range are tried, as those of the region's VNIs were."""

from alembic import op

revision = "0011"
down_revision = "0010"

# The id of the default range: the region's VNIs. The release before goes on with `vni_cursor`.
REGION = "c48c6d9f-e69d-5743-a24d-ea7c3117a697"

SCHEMA = (
    "CREATE TABLE segment_cursor (source TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
    f"INSERT INTO segment_cursor SELECT '{REGION}', next FROM vni_cursor",
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
