"""Two agents that say they are one host."""

import asyncio

import pytest

from alcor.delivery.feed import HostFeed
from alcor.delivery.watermark import Watermark
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Forbidden, Hello
from alcor.values.addresses import address

HERE = Hello("h1", "", address("172.31.0.1"))
ELSEWHERE = HERE._replace(tunnel_endpoint=address("172.31.0.9"))


def feed() -> HostFeed:
    ready = asyncio.Event()
    ready.set()
    return HostFeed(MemoryLog(1), MemoryLog(1), Index(), ready.wait, Watermark())


def test_one_at_another_address_is_refused_while_the_first_is_connected() -> None:
    async def main() -> None:
        hosts = feed()
        first = await hosts.open(HERE)

        with pytest.raises(Forbidden, match=r"already that says it is h1, at 172\.31\.0\.1"):
            await hosts.open(ELSEWHERE)

        await first.close()
        await hosts.open(ELSEWHERE)

    asyncio.run(main())


def test_an_agent_that_was_started_again_takes_over_from_itself() -> None:
    async def main() -> None:
        hosts = feed()
        first = await hosts.open(HERE)

        second = await hosts.open(HERE)

        assert (first.is_over, second.is_over) == (True, False)

    asyncio.run(main())
