"""A node manager whose hosts say what a test has them say; time passes when it is told to."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec
from tests.fixtures import manager
from tests.fixtures.foundation import foundation

from alcor.contracts.peers import Counts, Ids, PortPeer
from alcor.contracts.resources import Caller, ListQuery, ListRequest
from alcor.goal_state.reports import HostReport, delivery_beat_every_s, delivery_key, host_key
from alcor.keyed_log.log import Entry
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.node.app import NodeApp, NodeSettings
from alcor.values.capacity import Capacity
from alcor.values.errors import Unavailable

ADMIN = Caller(project_id="p", admin=True)


class Ports:
    """How many ports are bound to hosts: as much of the port manager as is asked."""

    def __init__(self) -> None:
        self.count_by_host: dict[str, int] = {}

    async def bound_to(self, request: Ids) -> Counts:
        return Counts({h: n for h, n in self.count_by_host.items() if h in request.ids})


class Away:
    """A store whose database does not answer yet."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.is_away = True

    def __getattr__(self, name: str) -> Any:
        if self.is_away:
            raise Unavailable("the database of node does not answer")
        return getattr(self._store, name)


class World:
    def __init__(self, folder: Path, auto_register: bool = True) -> None:
        self.ports = Ports()
        self.now_s = 1_000.0
        settings = NodeSettings(
            auto_register=auto_register, silence_s_max=15, binding_silence_s_max=75
        )
        self.log = MemoryLog(1)
        ports = cast(PortPeer, self.ports)
        self.app = NodeApp(foundation(folder, self.log, clock=lambda: self.now_s), ports, settings)
        self.nodes: Any = self.app.resources[0][1]
        self.agents: Any = self.app.resources[1][1]

    async def beat(self, *, lives: bool = True) -> None:
        """A delivery says that it lives, or that it ends."""
        value = b"" if lives else None
        await self.app.listening.hear([Entry(delivery_key(1), value, 1, "", 1)])

    async def listen(self, seconds: float) -> None:
        """Time passes, and a delivery lives."""
        await self.beat()
        while seconds > 0:
            step = min(seconds, delivery_beat_every_s)
            self.now_s += step
            seconds -= step
            await self.beat()

    async def hear(
        self,
        host: str,
        tunnel_ip: str = "",
        connected: bool = True,
        uplinks: tuple[str, ...] = (),
        reached: int = 0,
        capacity: Capacity | None = None,
        bridge: str = "",
        datapath_type: str = "",
        fault: str = "",
    ) -> None:
        report = HostReport(
            host=host,
            epoch=1,
            position=7,
            tunnel_ip=tunnel_ip,
            connected=connected,
            physical_networks=uplinks,
            life=self.log.life,
            reached=reached,
            capacity=capacity,
            bridge=bridge,
            datapath_type=datapath_type,
            fault=fault,
        )
        value = msgspec.msgpack.encode(report)
        await self.nodes.hear([Entry(host_key(host), value, 1, "", 1)])

    async def listed(self, manager: Any, caller: Caller = ADMIN) -> dict[str, Any]:
        reply = await manager.list_page(ListRequest(caller, ListQuery()))
        found = [msgspec.json.decode(raw) for raw in reply.items]
        return {each.get("host") or each["id"]: each for each in found}


def play(folder: Path, scene: Callable[[World], Awaitable[None]], **how: bool) -> None:
    manager.play(lambda: World(folder, **how), scene)
