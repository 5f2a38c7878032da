"""Which networks that were there already have which tags."""

from alcor.runtime.tables import tag_index

revision = "0010"
down_revision = "0009"

STEPS = (tag_index.step_of("network"),)


def upgrade() -> None:
    """`STEPS` are all."""
