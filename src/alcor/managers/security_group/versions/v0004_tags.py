"""Which security groups have which tags."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import tag_index


def upgrade(database: Upgraded) -> None:
    for statement in tag_index.schema_of("security_group"):
        database.execute(statement)
