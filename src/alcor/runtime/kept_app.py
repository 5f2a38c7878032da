"""A manager of kinds that are kept whole, put together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.contracts.resources import ResourceManager
from alcor.intent.relay import Living, Relay
from alcor.keyed_log.log import KeyedLog
from alcor.resource.declaration import Resource
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.kept import kept_store
from alcor.runtime.places import Place, open_database
from alcor.runtime.usage import Limit, unlimited
from alcor.runtime.writes import Makers


class KeptApp:
    """A manager as assembly sees it; a manager's own fills in what it serves."""

    def __init__(
        self,
        name: str,
        place: Place,
        versions: Path,
        log: KeyedLog,
        living: Living,
        clock: Seconds,
        new_id: NewId,
        quota: Limit = unlimited,
    ) -> None:
        self.name = name
        self.database = open_database(place, name, versions)
        self.relay = Relay(name, self.database, log, living)
        self.store = kept_store(self.database, self.relay, quota)
        self.makers = Makers.by(clock, new_id)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = []
        self.peers: Sequence[tuple[Any, object]] = []

    async def recover(self) -> None:
        """Nothing can be cut short where every write is one transaction."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [self.relay.run()]
