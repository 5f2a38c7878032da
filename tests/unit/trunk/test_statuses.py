"""How trunks are costs something only when something is said of their ports."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import msgspec

from alcor.contracts.held_ports import PortViews
from alcor.contracts.peers import Ids
from alcor.goal_state.reports import port_key
from alcor.keyed_log.log import Entry
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.trunk.model.trunk import SubPort, Trunk, trunk
from alcor.managers.trunk.service.statuses import Statuses


class Others:
    """The store of one trunk, which counts how often it is read, and the port manager."""

    def __init__(self, held: Trunk) -> None:
        self.held = held
        self.reads = 0

    def trunk(self, id_: str, project: str | None) -> Trunk:
        return self.held

    async def read(self, work: Callable[[Any], Any]) -> Any:
        self.reads += 1
        return work(self)

    async def write(self, work: Callable[[Any], Any]) -> None:
        """It keeps its status."""

    async def views(self, request: Ids) -> PortViews:
        return PortViews([])


def told(port_id: str) -> list[Entry]:
    return [Entry(port_key("h1", port_id), b"", 1, "", 1)]


def test_a_port_that_has_left_its_trunk_has_nobody_look_at_it() -> None:
    async def main() -> None:
        values = {"name": "", "description": "", "admin_state_up": True, "project_id": "p"}
        bare = trunk(values | {"port_id": "parent", "tags": []}, "t", "2026-01-31T00:00:00Z")
        sub_port = SubPort(port_id="sub", segmentation_id=7)
        both = msgspec.structs.replace(bare, sub_ports=(sub_port,))
        others = Others(both)
        statuses = Statuses(cast(Any, others), cast(Any, others), MemoryLog(1), lambda: "")
        await statuses.watch(both)
        await statuses.watch(bare)
        others.reads = 0

        await statuses.take(told("sub"))
        assert others.reads == 0
        await statuses.take(told("parent"))
        assert others.reads == 1

    asyncio.run(main())
