"""First segments of networks that had none, in PostgreSQL: the managers wait for this at start."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

from alcor.managers.network import app as network_app
from alcor.managers.network.tables import segments
from alcor.runtime.sql.online_migrations import migrate_server
from alcor.runtime.sql.postgres import PostgresDatabase

VERSIONS = Path(network_app.__file__).parent / "versions"


def test_first_segments_are_looked_for(postgres: Any) -> None:
    url = str(postgres.url(uuid4().hex))
    migrate_server(url, VERSIONS)

    async def main() -> int:
        database = PostgresDatabase(url, "network")
        try:
            return await database.write(segments.fill)
        finally:
            await database.close()

    assert asyncio.run(main()) == 0
