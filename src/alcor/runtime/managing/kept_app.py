"""A manager of kinds that are kept whole, put together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.contracts.resources import ResourceManager
from alcor.intent.relay import Living, Relay
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept import kept_store


class KeptApp:
    """A manager as assembly sees it; a manager's own fills in what it serves."""

    def __init__(self, base: Foundation, name: str, versions: Path, living: Living) -> None:
        self.base = base
        self.name = name
        self.database = base.database(name, versions)
        self.relay = Relay(name, self.database, base.intent, living)
        self.store = kept_store(self.database, self.relay)
        self.makers = base.makers
        self.resources: Sequence[tuple[Resource, ResourceManager]] = []
        self.peers: Sequence[tuple[Any, object]] = []

    async def recover(self) -> None:
        """Nothing can be cut short where every write is one transaction."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [self.relay.run()]
