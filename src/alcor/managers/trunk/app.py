"""Put the trunk manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.resources import ResourceManager
from alcor.intent.follow import follow_prefix
from alcor.managers.trunk.api import TRUNK
from alcor.managers.trunk.needs import Peers
from alcor.managers.trunk.service.settling import Settling
from alcor.managers.trunk.service.statuses import Statuses
from alcor.managers.trunk.service.trunks import TrunkService
from alcor.managers.trunk.sql import TrunkStore
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation

VERSIONS = Path(__file__).parent / "versions"


class TrunkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the trunk manager."""

    sub_ports_max: Annotated[
        int, msgspec.Meta(ge=0, le=4_094, description="Most sub-ports of one trunk")
    ] = 1_000
    settle_interval_s: Annotated[
        float, msgspec.Meta(gt=0, description="Seconds between looks for ports to finish with")
    ] = 60.0


class TrunkApp:
    """The trunk manager as assembly sees it.

    It tells the intent log nothing: hosts hear of trunks by their ports.
    """

    name = "trunk"

    def __init__(self, base: Foundation, peers: Peers, settings: TrunkSettings) -> None:
        self.database = base.database(self.name, VERSIONS)
        store = TrunkStore(self.database, base.quota)
        makers = base.makers
        self._settling = Settling(store, peers.trunk_ports)
        self._statuses = Statuses(store, peers.ports, base.reports, makers.now)
        self._settings = settings
        self._base = base
        service = TrunkService(
            store, peers, self._settling, self._statuses, makers, settings.sub_ports_max
        )
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [(TRUNK, service)]
        self.peers: Sequence[tuple[Any, object]] = []

    async def recover(self) -> None:
        """Know what to watch. What a crash cut short is finished by the first round of `tasks`."""
        await self._statuses.load()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        take = self._statuses.take
        return [
            self._base.follow("port", take, take),
            follow_prefix(self._base.reports, "port/", take, take),
            self._settling.run(self._settings.settle_interval_s),
        ]
