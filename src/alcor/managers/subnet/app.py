"""Put the subnet manager together: what assembly opens, starts and closes."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec

from alcor.contracts.peers import SubnetPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.subnetpools import OnboardPeer
from alcor.intent.follow import ReadModel, Ready, follow
from alcor.intent.relay import Relay
from alcor.keyed_log.log import KeyedLog
from alcor.managers.subnet.api import SUBNET
from alcor.managers.subnet.needs import KnownNetworks, Peers
from alcor.managers.subnet.service import SubnetService
from alcor.managers.subnet.sql import SubnetStore, living
from alcor.resource.declaration import Resource
from alcor.runtime.clock import NewId, Seconds, timestamp
from alcor.runtime.places import Place, open_database
from alcor.runtime.usage import Limit, unlimited

VERSIONS = Path(__file__).parent / "versions"


class SubnetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the subnet manager."""

    subnets_per_network_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most subnets that a network may have")
    ] = 256


class SubnetApp:
    """The subnet manager as assembly sees it (see the network manager's)."""

    name = "subnet"

    def __init__(
        self,
        place: Place,
        log: KeyedLog,
        rebuilt: Ready,
        peers: Peers,
        settings: SubnetSettings,
        clock: Seconds,
        new_id: NewId,
        quota: Limit = unlimited,
    ) -> None:
        self.database = open_database(place, self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, log, living)
        self._log = log
        self._rebuilt = rebuilt
        self._networks = ReadModel("network")
        store = SubnetStore(self.database, self.relay, settings.subnets_per_network_max, quota)
        now: Callable[[], str] = lambda: timestamp(clock())  # noqa: E731
        known = cast(KnownNetworks, self._networks)
        self._service = SubnetService(store, known, peers, now, new_id)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [(SUBNET, self._service)]
        self.peers: Sequence[tuple[Any, object]] = [
            (SubnetPeer, self._service),
            (OnboardPeer, self._service),
        ]

    async def recover(self) -> None:
        """Finish what a crash cut short."""
        await self._service.recover()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        take = self._service.take_networks
        return [
            self.relay.run(),
            self._networks.run(self._log, self._rebuilt),
            follow(self._log, "network", self._rebuilt, take, take),
            self._service.unfinished.run(self._service.recover),
        ]
