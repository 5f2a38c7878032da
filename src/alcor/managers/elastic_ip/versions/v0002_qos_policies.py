"""Which floating IPs have which QoS policies, and which policies they may not have."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import fences

SCHEMA = (
    "ALTER TABLE floatingip ADD COLUMN qos_policy_id TEXT",
    "CREATE INDEX floatingip_policy ON floatingip (qos_policy_id) WHERE qos_policy_id IS NOT NULL",
    fences.CONFINED,  # it has fences since it began
)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
