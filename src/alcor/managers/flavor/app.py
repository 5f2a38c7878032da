"""Put the flavor manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.contracts.flavors import FlavorPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.routing import RouterPeer
from alcor.intent.relay import Relay
from alcor.keyed_log.log import KeyedLog
from alcor.managers.flavor.api import (
    FLAVOR,
    FLAVOR_SERVICE_PROFILE,
    SERVICE_PROFILE,
    SERVICE_PROVIDER,
)
from alcor.managers.flavor.service.flavors import FlavorService
from alcor.managers.flavor.service.profiles import ProfileService, ProfilesOfFlavor, providers
from alcor.managers.flavor.sql import PROFILES, living
from alcor.resource.declaration import Resource
from alcor.runtime.clock import NewId, Seconds, timestamp
from alcor.runtime.kept import KeptStore
from alcor.runtime.kept_service import Makers
from alcor.runtime.listed import ListedService
from alcor.runtime.places import Place, open_database

VERSIONS = Path(__file__).parent / "versions"


class FlavorApp:
    """The flavor manager as assembly sees it (see the network manager's)."""

    name = "flavor"

    def __init__(
        self, place: Place, log: KeyedLog, routers: RouterPeer, clock: Seconds, new_id: NewId
    ) -> None:
        self.database = open_database(place, self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, log, living)
        store = KeptStore(self.database, self.relay)
        makers = Makers(new_id, lambda: timestamp(clock()))
        flavors = FlavorService(store, makers, routers)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (FLAVOR, flavors),
            (SERVICE_PROFILE, ProfileService(store, PROFILES, makers)),
            (FLAVOR_SERVICE_PROFILE, ProfilesOfFlavor(store)),
            (SERVICE_PROVIDER, ListedService(providers, shows_id=False)),
        ]
        self.peers: Sequence[tuple[Any, object]] = [(FlavorPeer, flavors)]

    async def recover(self) -> None:
        """Nothing can be cut short: every write is one transaction."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [self.relay.run()]
