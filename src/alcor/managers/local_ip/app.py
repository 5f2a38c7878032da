"""Put the local IP manager together."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.managers.local_ip.api import LOCAL_IP, PORT_ASSOCIATION
from alcor.managers.local_ip.needs import Peers
from alcor.managers.local_ip.service.associations import AssociationService
from alcor.managers.local_ip.service.local_ips import LocalIpService
from alcor.managers.local_ip.service.ports import Ports
from alcor.managers.local_ip.sql import living
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept_app import KeptApp
from alcor.runtime.rounds import rounds

VERSIONS = Path(__file__).parent / "versions"
settle_interval_s = 60.0  # between looks for ports to drop


class LocalIpApp(KeptApp):
    """The local IP manager as assembly sees it."""

    def __init__(self, base: Foundation, peers: Peers) -> None:
        super().__init__(base, "local_ip", VERSIONS, living)
        self._ports = Ports(self.store, peers)
        self.resources = [
            (LOCAL_IP, LocalIpService(self.store, self.makers, peers, self._ports)),
            (PORT_ASSOCIATION, AssociationService(self.store, self._ports)),
        ]

    async def recover(self) -> None:
        """Know which ports are in use; drop what was made for nothing."""
        await self._ports.load()
        await self._ports.drop_orphans()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        ports = self._ports
        return [
            *super().tasks(),
            self.base.follow("port", ports.replace, ports.apply),
            rounds(ports.drop_orphans, settle_interval_s),
        ]
