"""The ports of a network in order of id: a page of them costs the same in a table of any size."""

from alcor.runtime.sql.migrations import Upgraded


def upgrade(database: Upgraded) -> None:
    database.execute("CREATE INDEX port_network ON port (network_id, id)")
