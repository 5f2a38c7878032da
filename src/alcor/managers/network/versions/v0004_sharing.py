"""Who may see and use networks beside their owners."""

from alcor.runtime.sql.migrations import Upgraded
from alcor.runtime.tables import sharing


def upgrade(database: Upgraded) -> None:
    for statement in sharing.SCHEMA:
        database.execute(statement)
