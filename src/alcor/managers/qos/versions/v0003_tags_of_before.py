"""Which QoS policies that were there already have which tags."""

from alcor.runtime.tables import tag_index

revision = "0003"
down_revision = "0002"

STEPS = (tag_index.step_of("qos_policy"),)


def upgrade() -> None:
    """`STEPS` are all."""
