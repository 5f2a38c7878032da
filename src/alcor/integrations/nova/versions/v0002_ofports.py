"""By which interface of its host each port was plugged in; 0: by one that nobody named."""

from alcor.runtime.sql.migrations import Upgraded

SCHEMA = ("ALTER TABLE told ADD COLUMN ofport INTEGER NOT NULL DEFAULT 0",)


def upgrade(database: Upgraded) -> None:
    for statement in SCHEMA:
        database.execute(statement)
