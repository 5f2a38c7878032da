"""Which ports that were there already have which name and device.

A SQLite file has one process, whose code reads the indexes of before no more. In PostgreSQL others
may still list by them, until a later release takes them away.
"""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import scattered_index

STEPS = tuple(scattered_index.step_of("port", column) for column in ("device_id", "name"))


def upgrade(database: Upgraded) -> None:
    if database.is_file:
        database.execute("DROP INDEX port_device")
        database.execute("DROP INDEX port_name")
