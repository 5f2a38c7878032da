"""Which networks have which QoS policies, and which policies they may not have."""

from alembic import op

from alcor.runtime.tables import fences

revision = "0005"
down_revision = "0004"

SCHEMA = (
    "ALTER TABLE network ADD COLUMN qos_policy_id TEXT",
    "CREATE INDEX network_policy ON network (qos_policy_id) WHERE qos_policy_id IS NOT NULL",
    fences.FENCES,
    fences.CONFINED,
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
