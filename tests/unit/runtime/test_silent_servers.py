"""A PostgreSQL server that takes a connection and says nothing is not waited for."""

import socket
from pathlib import Path
from threading import Timer

import psycopg
import pytest

from alcor.runtime.sql import online_migrations
from alcor.runtime.sql.postgres import AT_OUR_END

ends_after_s = 60.0  # who would wait for ever is told that it did


def test_a_migration_gives_up_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AT_OUR_END, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ends = Timer(ends_after_s, silent.shutdown, [socket.SHUT_RDWR])
        ends.daemon = True
        ends.start()
        url = f"postgresql://alcor@127.0.0.1:{silent.getsockname()[1]}/alcor"

        with pytest.raises(psycopg.OperationalError, match="timeout expired"):
            online_migrations.migrate_server(url, Path())
        ends.cancel()
