"""Put the subnet manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec

from alcor.contracts.peers import SubnetPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.subnetpools import OnboardPeer
from alcor.intent.follow import ReadModel
from alcor.intent.relay import Relay
from alcor.managers.subnet.api import SUBNET
from alcor.managers.subnet.needs import KnownNetworks, Peers
from alcor.managers.subnet.service import SubnetService
from alcor.managers.subnet.sql import SubnetStore, living
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation

VERSIONS = Path(__file__).parent / "versions"


class SubnetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the subnet manager."""

    subnets_per_network_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most subnets that a network may have")
    ] = 256


class SubnetApp:
    """The subnet manager as assembly sees it (see the network manager's)."""

    name = "subnet"

    def __init__(self, base: Foundation, peers: Peers, settings: SubnetSettings) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        self._base = base
        self._networks = ReadModel("network")
        store = SubnetStore(self.database, self.relay, settings.subnets_per_network_max, base.quota)
        known = cast(KnownNetworks, self._networks)
        self._service = SubnetService(store, known, peers, base.makers)
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
            self._networks.run(self._base.intent, self._base.rebuilt),
            self._base.follow("network", take, take),
            self._service.unfinished.run(self._service.recover),
        ]
