"""Which ports have which name and device: in tables that cost a bulk less than indexes do."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import scattered_index


def upgrade(database: Upgraded) -> None:
    for statement in scattered_index.schema_of("port", ("device_id", "name")):
        database.execute(statement)
