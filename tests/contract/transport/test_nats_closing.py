"""To leave NATS is not to lose it."""

import asyncio
from pathlib import Path

from tests.conftest import NatsServer

from alcor.transport.nats_connection import close, connected


def test_who_closes_a_connection_is_not_told_that_nats_is_away(tmp_path: Path) -> None:
    told: list[str] = []

    async def away() -> None:
        told.append("away")

    async def main(url: str) -> None:
        client = await connected([url], None, None, disconnected_cb=away)
        await close(client)

    server = NatsServer(tmp_path)
    try:
        asyncio.run(main(server.url))
    finally:
        server.kill()

    assert told == []
