"""Put the IP manager together: what assembly opens, starts and closes."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import structlog

from alcor.contracts.peers import IpPeer, PortPeer
from alcor.contracts.resources import ResourceManager
from alcor.managers.ip.service import IpService
from alcor.managers.ip.sql import SqlStore
from alcor.managers.ip.sweeper import Sweeper
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.rounds import rounds

VERSIONS = Path(__file__).parent / "versions"

log = structlog.get_logger(__name__)


class IpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the IP manager."""

    sweep_interval_s: Annotated[
        float, msgspec.Meta(gt=0, description="Seconds between sweeps for leases without a port")
    ] = 60.0
    sweep_age_s: Annotated[
        float, msgspec.Meta(ge=0, description="Seconds a lease may be without a port")
    ] = 60.0


class IpApp:
    """The IP manager as assembly sees it; every manager's app has these attributes, but it tells
    the intent log nothing: what it knows is in the ports' records."""

    name = "ip"

    def __init__(self, base: Foundation, ports: PortPeer, settings: IpSettings) -> None:
        self.database = base.database(self.name, VERSIONS)
        store = SqlStore(self.database)
        self._settings = settings
        now_ms: Callable[[], int] = lambda: int(base.clock() * 1_000)  # noqa: E731
        self._sweeper = Sweeper(store, ports, now_ms)
        service = IpService(store, now_ms)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = []
        self.peers: Sequence[tuple[Any, object]] = [(IpPeer, service)]

    async def recover(self) -> None:
        """Free the leases that a crash left without a port."""
        await self._sweep(0)

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [rounds(self._sweep_old, self._settings.sweep_interval_s)]

    async def _sweep_old(self) -> None:
        await self._sweep(int(self._settings.sweep_age_s * 1_000))

    async def _sweep(self, age_ms_min: int) -> None:
        freed = await self._sweeper.sweep(age_ms_min)
        if freed:
            log.info("leases_swept", count=freed)
