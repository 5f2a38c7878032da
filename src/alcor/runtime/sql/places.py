"""Where databases are: a folder of SQLite files, PostgreSQL servers, or wherever an opener says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alcor.runtime.config import ConfigError, without_login
from alcor.runtime.observability import spans
from alcor.runtime.sql import migrations
from alcor.runtime.sql.database import Database
from alcor.runtime.sql.sqlite import SqliteDatabase
from alcor.runtime.sql.traced import TracedDatabase


@dataclass(frozen=True)
class Servers:
    """PostgreSQL databases by URL: `{manager}` in it stands for the manager's name."""

    url: str
    url_by_manager: tuple[tuple[str, str], ...] = ()  # of those that are elsewhere

    def of(self, manager: str) -> str:
        """The URL of one manager's database."""
        return dict(self.url_by_manager).get(manager, self.url).replace("{manager}", manager)


class Opener(Protocol):
    """Opens databases that are kept elsewhere: a simulation's."""

    def open(self, manager: str, versions: Path) -> Database:
        """The manager's database, brought to the newest of its migrations in `versions`."""
        ...


Place = Path | Servers | Opener


def open_database(place: Place, manager: str, versions: Path) -> Database:
    """The manager's database, made or brought to the newest of its migrations in `versions`.

    `ConfigError` when its server will not have us.
    """
    opened = _opened(place, manager, versions)
    return opened if spans.recorder is None else TracedDatabase(opened, manager)


def _opened(place: Place, manager: str, versions: Path) -> Database:
    if isinstance(place, Path):
        path = place / f"{manager}.sqlite"
        migrations.migrate(path, versions)
        return SqliteDatabase(path)
    if not isinstance(place, Servers):
        return place.open(manager, versions)
    from psycopg.errors import InsufficientPrivilege, OperationalError  # only here: it is large

    from alcor.runtime.sql.online_migrations import migrate_server
    from alcor.runtime.sql.postgres import PostgresDatabase

    url = place.of(manager)
    try:
        migrate_server(url, versions)
    except (OperationalError, InsufficientPrivilege) as refusal:
        why = str(refusal).strip().splitlines()[0]
        raise ConfigError(f"served.postgres = {without_login(url)}: {why}") from refusal
    return PostgresDatabase(url, manager)
