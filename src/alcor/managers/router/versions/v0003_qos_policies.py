"""Which routers' gateways have which QoS policies, and which policies they may not have."""

from alembic import op

from alcor.runtime.tables import fences

revision = "0003"
down_revision = "0002"

SCHEMA = (
    "ALTER TABLE router ADD COLUMN qos_policy_id TEXT",
    "CREATE INDEX router_policy ON router (qos_policy_id) WHERE qos_policy_id IS NOT NULL",
    fences.FENCES,
)


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)
