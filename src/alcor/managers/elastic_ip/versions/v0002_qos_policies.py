"""Which floating IPs have which QoS policies, and which policies they may not have."""

from alembic import op

from alcor.runtime.tables import fences

revision = "0002"
down_revision = "0001"

SCHEMA = (
    "ALTER TABLE floatingip ADD COLUMN qos_policy_id TEXT",
    "CREATE INDEX floatingip_policy ON floatingip (qos_policy_id) WHERE qos_policy_id IS NOT NULL",
    fences.CONFINED,  # it has fences since it began
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
