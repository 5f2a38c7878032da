"""Which QoS policies have which tags."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import tag_index


def upgrade(database: Upgraded) -> None:
    for statement in tag_index.schema_of("qos_policy"):
        database.execute(statement)
