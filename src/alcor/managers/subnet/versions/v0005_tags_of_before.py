"""Which subnets that were there already have which tags."""

from alcor.runtime.tables import tag_index

revision = "0005"
down_revision = "0004"

STEPS = (tag_index.step_of("subnet"),)


def upgrade() -> None:
    """`STEPS` are all."""
