"""Two agents that say they are one host."""

import asyncio

import pytest

from alcor.delivery.feed import HostFeed
from alcor.delivery.hosts import Hosts
from alcor.delivery.watermark import Watermark
from alcor.keyed_log.memory import MemoryLog
from alcor.planner.index import Index
from alcor.transport.link import Forbidden, Hello
from alcor.values.addresses import address

HERE = Hello("h1", "", address("172.31.0.1"))
ELSEWHERE = HERE._replace(tunnel_endpoint=address("172.31.0.9"))


def feed(delivery: int = 1, reports: MemoryLog | None = None) -> HostFeed:
    ready = asyncio.Event()
    ready.set()
    log = MemoryLog(1) if reports is None else reports
    hosts = Hosts(delivery, str)
    return HostFeed(MemoryLog(delivery), log, Index(), ready.wait, Watermark(), hosts)


def test_one_at_another_address_is_refused_while_the_first_is_connected() -> None:
    async def main() -> None:
        hosts = feed()
        first = await hosts.open(HERE)

        with pytest.raises(Forbidden, match=r"already that says it is h1, at 172\.31\.0\.1"):
            await hosts.open(ELSEWHERE)

        await first.close()
        await hosts.open(ELSEWHERE)

    asyncio.run(main())


def test_one_at_another_address_is_refused_while_the_first_is_connected_to_another_delivery() -> (
    None
):
    """Each ended the other's session, as the newest connection of a host counts."""

    async def main() -> None:
        reports = MemoryLog(1)
        one, other = feed(1, reports), feed(2, reports)
        first = await one.open(HERE)

        with pytest.raises(Forbidden, match=r"elsewhere that says it is h1, at 172\.31\.0\.1"):
            await other.open(ELSEWHERE)
        assert not first.is_over
        with pytest.raises(Forbidden):  # once more: nothing is left of the first attempt
            await other.open(ELSEWHERE)

        await first.close()
        await other.open(ELSEWHERE)

    asyncio.run(main())


def test_a_host_that_comes_to_another_delivery_is_let_in() -> None:
    async def main() -> None:
        reports = MemoryLog(1)
        one, other = feed(1, reports), feed(2, reports)
        await one.open(HERE)

        second = await other.open(HERE)

        assert not second.is_over

    asyncio.run(main())


def test_an_agent_that_was_started_again_takes_over_from_itself() -> None:
    async def main() -> None:
        hosts = feed()
        first = await hosts.open(HERE)

        second = await hosts.open(HERE)

        assert (first.is_over, second.is_over) == (True, False)

    asyncio.run(main())
