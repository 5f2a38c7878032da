"""Ports that floating IPs were given to are watched for as long as they are there."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from alcor.contracts.held_ports import PortViews
from alcor.contracts.peers import Ids
from alcor.keyed_log.log import Entry
from alcor.managers.elastic_ip.service.internal_ports import InternalPorts
from alcor.runtime.managing.writes import Makers

MAKERS = Makers(lambda: "id", lambda: "2026-01-31T00:00:00Z")


class Others:
    """A store in which nothing is given to ports any more, and a port manager that has none."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def given_to(self, ids: list[str]) -> list[Any]:
        return []

    def forwardings_to(self, ids: list[str]) -> list[Any]:
        return []

    def proxies_to(self, ids: list[str]) -> list[Any]:
        return []

    async def views(self, request: Ids) -> PortViews:
        self.asked += request.ids
        return PortViews([])


def test_a_port_that_has_gone_is_asked_for_no_more() -> None:
    async def main() -> None:
        others = Others()
        ports = InternalPorts(cast(Any, others), cast(Any, others), MAKERS)
        for port_id in ("told", "asked"):
            ports.watch([port_id])

        await ports.apply([Entry("port/told", None, 2, "", 2)])
        await ports.views(["asked"])
        others.asked.clear()

        await ports.replace([])  # the log was read again
        assert others.asked == []

    asyncio.run(main())
