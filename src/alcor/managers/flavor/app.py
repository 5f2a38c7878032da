"""Put the flavor manager together."""

from pathlib import Path

from alcor.contracts.flavors import FlavorPeer
from alcor.contracts.routing import RouterPeer
from alcor.managers.flavor.api import (
    FLAVOR,
    FLAVOR_SERVICE_PROFILE,
    SERVICE_PROFILE,
    SERVICE_PROVIDER,
)
from alcor.managers.flavor.service.flavors import FlavorService
from alcor.managers.flavor.service.profiles import ProfileService, ProfilesOfFlavor, providers
from alcor.managers.flavor.sql import PROFILES, living
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept_app import KeptApp
from alcor.runtime.managing.listed import ListedService

VERSIONS = Path(__file__).parent / "versions"


class FlavorApp(KeptApp):
    """The flavor manager as assembly sees it."""

    def __init__(self, base: Foundation, routers: RouterPeer) -> None:
        super().__init__(base, "flavor", VERSIONS, living)
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
