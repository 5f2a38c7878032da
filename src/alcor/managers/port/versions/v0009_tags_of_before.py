"""Which ports that were there already have which tags."""

from alcor.runtime.tables import tag_index

revision = "0009"
down_revision = "0008"

STEPS = (tag_index.step_of("port"),)


def upgrade() -> None:
    """`STEPS` are all."""
