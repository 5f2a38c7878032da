"""How many subnets each project has."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage


def upgrade(database: Upgraded) -> None:
    for statement in usage.schema_of("subnet"):
        database.execute(statement)
