"""Which subnet pools that were there already have which tags."""

from alcor.runtime.tables import tag_index

revision = "0004"
down_revision = "0003"

STEPS = (tag_index.step_of("subnetpool"),)


def upgrade() -> None:
    """`STEPS` are all."""
