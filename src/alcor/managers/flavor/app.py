"""Put the flavor manager together."""

from pathlib import Path

from alcor.contracts.flavors import FlavorPeer
from alcor.contracts.routing import RouterPeer
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
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.kept_app import KeptApp
from alcor.runtime.listed import ListedService
from alcor.runtime.places import Place

VERSIONS = Path(__file__).parent / "versions"


class FlavorApp(KeptApp):
    """The flavor manager as assembly sees it."""

    def __init__(
        self, place: Place, log: KeyedLog, routers: RouterPeer, clock: Seconds, new_id: NewId
    ) -> None:
        super().__init__("flavor", place, VERSIONS, log, living, clock, new_id)
        flavors = self._flavors = FlavorService(self.store, self.makers, routers)
        self.resources = [
            (FLAVOR, flavors),
            (SERVICE_PROFILE, ProfileService(self.store, PROFILES, self.makers)),
            (FLAVOR_SERVICE_PROFILE, ProfilesOfFlavor(self.store)),
            (SERVICE_PROVIDER, ListedService(providers, shows_id=False)),
        ]
        self.peers = [(FlavorPeer, flavors)]

    async def recover(self) -> None:
        """Let routers have the flavors that there are."""
        await self._flavors.recover()
