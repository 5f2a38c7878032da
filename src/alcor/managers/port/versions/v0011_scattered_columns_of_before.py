"""Which ports that were there already have which name and device.

A SQLite file has one process, whose code reads the indexes of before no more. In PostgreSQL others
may still list by them, until a later release takes them away.
"""

from alembic import op

from alcor.runtime.tables import scattered_index

revision = "0011"
down_revision = "0010"

STEPS = tuple(scattered_index.step_of("port", column) for column in ("device_id", "name"))


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP INDEX port_device")
        op.execute("DROP INDEX port_name")
