"""How many groups and rules each project has."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import usage


def upgrade(database: Upgraded) -> None:
    for statement in usage.schema_of("security_group", "security_group_rule"):
        database.execute(statement)
