"""Put the MAC manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.peers import MacPeer
from alcor.contracts.resources import ResourceManager
from alcor.managers.mac.model import MacRange
from alcor.managers.mac.service import MacService
from alcor.managers.mac.sql import SqlStore
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.values.addresses import mac

VERSIONS = Path(__file__).parent / "versions"


class MacSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the MAC manager."""

    base: Annotated[str, msgspec.Meta(description="First MAC address given to ports")] = (
        "fa:16:3e:00:00:00"
    )
    bits: Annotated[
        int, msgspec.Meta(ge=1, le=40, description="Low bits of the base that vary, all zero")
    ] = 24
    block_size: Annotated[
        int,
        msgspec.Meta(ge=1, description="MAC addresses leased at once to whoever hands them out"),
    ] = 1_024


class MacApp:
    """The MAC manager as assembly sees it; every manager's app has these attributes."""

    name = "mac"

    def __init__(self, base: Foundation, settings: MacSettings) -> None:
        self.database = base.database(self.name, VERSIONS)
        range_ = MacRange(mac(settings.base), settings.bits, settings.block_size)
        service = MacService(SqlStore(self.database), range_)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = []
        self.peers: Sequence[tuple[Any, object]] = [(MacPeer, service)]

    async def recover(self) -> None:
        """Nothing is ever half done here."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Nothing runs on its own here."""
        return []
