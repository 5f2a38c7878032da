"""How many ports each project has, counted as every manager counts."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage


def upgrade(database: Upgraded) -> None:
    for statement in (*usage.schema_of("port"), "DROP TABLE usage"):
        database.execute(statement)
