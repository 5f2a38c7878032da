"""How many networks each project has."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage


def upgrade(database: Upgraded) -> None:
    for statement in usage.schema_of("network"):
        database.execute(statement)
