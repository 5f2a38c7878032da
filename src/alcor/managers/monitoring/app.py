"""Put the monitoring manager together."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.intent.follow import Ready, follow
from alcor.keyed_log.log import KeyedLog
from alcor.managers.monitoring.api import LOG, LOGGABLE_RESOURCE, TAP_MIRROR
from alcor.managers.monitoring.needs import Peers
from alcor.managers.monitoring.service.logs import LogService, loggable
from alcor.managers.monitoring.service.mirrors import MirrorService
from alcor.managers.monitoring.service.subjects import Subjects
from alcor.managers.monitoring.sql import ABOUT, living
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.kept_app import KeptApp
from alcor.runtime.listed import ListedService
from alcor.runtime.places import Place

VERSIONS = Path(__file__).parent / "versions"


class MonitoringApp(KeptApp):
    """The monitoring manager as assembly sees it."""

    def __init__(
        self,
        place: Place,
        log: KeyedLog,
        rebuilt: Ready,
        peers: Peers,
        clock: Seconds,
        new_id: NewId,
    ) -> None:
        super().__init__("monitoring", place, VERSIONS, log, living, clock, new_id)
        self._log, self._rebuilt = log, rebuilt
        self._subjects = [Subjects(kind, self.store, peers) for kind in ABOUT]
        ports, groups = self._subjects
        self.resources = [
            (LOG, LogService(self.store, self.makers, peers, ports, groups)),
            (LOGGABLE_RESOURCE, ListedService(loggable, shows_id=False)),
            (TAP_MIRROR, MirrorService(self.store, self.makers, peers, ports)),
        ]

    async def recover(self) -> None:
        """Know what to watch."""
        for each in self._subjects:
            await each.load()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        following = [
            follow(self._log, each.kind, self._rebuilt, each.replace, each.apply)
            for each in self._subjects
        ]
        return [*super().tasks(), *following]
