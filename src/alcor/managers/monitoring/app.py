"""Put the monitoring manager together."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.managers.monitoring.api import (
    LOG,
    LOGGABLE_RESOURCE,
    TAP_FLOW,
    TAP_MIRROR,
    TAP_SERVICE,
)
from alcor.managers.monitoring.needs import Peers
from alcor.managers.monitoring.service.logs import LogService, loggable
from alcor.managers.monitoring.service.mirrors import MirrorService
from alcor.managers.monitoring.service.subjects import Subjects
from alcor.managers.monitoring.service.taps import TapFlowService, TapServiceService
from alcor.managers.monitoring.sql import ABOUT, living
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept_app import KeptApp
from alcor.runtime.managing.listed import ListedService

VERSIONS = Path(__file__).parent / "versions"


class MonitoringApp(KeptApp):
    """The monitoring manager as assembly sees it."""

    def __init__(self, base: Foundation, peers: Peers) -> None:
        super().__init__(base, "monitoring", VERSIONS, living)
        self._subjects = [Subjects(kind, self.store, peers) for kind in ABOUT]
        ports, groups, acls = self._subjects
        self.resources = [
            (LOG, LogService(self.store, self.makers, peers, ports, groups, acls)),
            (LOGGABLE_RESOURCE, ListedService(loggable, shows_id=False)),
            (TAP_MIRROR, MirrorService(self.store, self.makers, peers, ports)),
            (TAP_SERVICE, TapServiceService(self.store, self.makers, peers, ports)),
            (TAP_FLOW, TapFlowService(self.store, self.makers, peers, ports)),
        ]

    async def recover(self) -> None:
        """Know what to watch."""
        for each in self._subjects:
            await each.load()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        follow = self.base.follow
        following = [follow(each.kind, each.replace, each.apply) for each in self._subjects]
        return [*super().tasks(), *following]
