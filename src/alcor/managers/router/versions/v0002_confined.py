"""Whose routers may leave by a network, once that has been changed."""

from alcor.runtime.sql.migrations import Upgraded


def upgrade(database: Upgraded) -> None:
    database.execute(
        "CREATE TABLE confined (id TEXT PRIMARY KEY, allowed TEXT NOT NULL) WITHOUT ROWID"
    )
