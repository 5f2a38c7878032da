"""Every manager's database can be made in PostgreSQL, by several processes at once, and again."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from alcor.managers.network import app as network_app
from alcor.runtime.sql.online_migrations import migrate_server

ALL = sorted(Path(network_app.__file__).parents[1].glob("*/versions"))


@pytest.mark.parametrize("versions", ALL, ids=[path.parent.name for path in ALL])
def test_a_database_is_made_once_whoever_comes(postgres: Any, versions: Path) -> None:
    url = postgres.url(uuid4().hex)

    with ThreadPoolExecutor(4) as processes:
        for each in [processes.submit(migrate_server, url, versions) for _ in range(4)]:
            each.result()

    migrate_server(url, versions)
