"""How far hosts are: only the delivery that a host is connected to hears that, others ask it."""

from typing import Protocol

import msgspec


class ProgressRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Wait until each of these hosts has reached its position of the intent log, in the log's life
    of that name. Hosts that are not connected there are not waited for."""

    life: str
    wanted_by_host: dict[str, int]
    timeout_s: float = 0.0  # 0: answer at once how things are


class ProgressReply(msgspec.Struct, frozen=True, kw_only=True):
    """How far those are that have not reached it: all others have."""

    behind: dict[str, int]


class ProgressPeer(Protocol):
    """One delivery of several, by its id."""

    async def reached(self, request: ProgressRequest) -> ProgressReply:
        """Answer when all of them that are connected there have, or when the time is up."""
        ...
