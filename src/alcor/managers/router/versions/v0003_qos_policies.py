"""Which routers' gateways have which QoS policies, and which policies they may not have."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import fences

SCHEMA = (
    "ALTER TABLE router ADD COLUMN qos_policy_id TEXT",
    "CREATE INDEX router_policy ON router (qos_policy_id) WHERE qos_policy_id IS NOT NULL",
    fences.FENCES,
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
