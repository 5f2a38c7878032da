"""Which trunks that were there already have which tags."""

from alcor.runtime.tables import tag_index

revision = "0003"
down_revision = "0002"

STEPS = (tag_index.step_of("trunk"),)


def upgrade() -> None:
    """`STEPS` are all."""
