"""The limits of projects that have some of their own; the id is the project's."""

from alcor.intent import outbox
from alcor.runtime.sql.migrations import Upgraded

SCHEMA = ("CREATE TABLE quota (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",)


def upgrade(database: Upgraded) -> None:
    for statement in (*outbox.SCHEMA, *SCHEMA):
        database.execute(statement)
