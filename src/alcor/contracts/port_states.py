"""How a port is on its host: what the logs know of it, beside what its owner wants."""

from typing import Protocol

import msgspec


class PortStateRequest(msgspec.Struct, frozen=True):
    """Of this port, when its owner wants it on `host` (empty: on none)."""

    port_id: str
    host: str


class PortState(msgspec.Struct, frozen=True, kw_only=True):
    """What was said last, and by whom; empty where nobody has said anything yet."""

    revision: str = ""  # of the port's last write that hosts are told of
    reported: str = ""  # up, down, failed
    reported_by: str = ""  # the host
    reason: str = ""  # of a failure, in the host's words
    host_known: bool = False  # an agent of the wanted host has spoken in this life
    host_connected: bool = False


class PortStatePeer(Protocol):
    """Who follows the logs."""

    async def state(self, request: PortStateRequest) -> PortState:
        """How the port is; a port that nobody knows is a state of empty fields."""
        ...
