"""How far the hosts are with a write: wait until all that it concerns have applied it."""

from typing import Protocol

import msgspec


class ConvergenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Wait for this write, and for those of its manager before it."""

    revision: str  # "<manager>:<sequence>", see values/revision.py
    timeout_s: float = 30.0  # 0: answer at once how things are


class HostProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One host that is behind: positions are the intent log's."""

    host: str
    applied: int  # acknowledged by its switch; 0 when it has not said in this life of the log
    wanted: int
    connected: bool


class ConvergenceReply(msgspec.Struct, frozen=True, kw_only=True):
    """`converged`: every host concerned has applied it. Otherwise `hosts` names those that have
    not, in order of name (a limited number; `lagging` counts all)."""

    revision: str
    converged: bool
    hosts: list[HostProgress] = []
    lagging: int = 0


class ConvergencePeer(Protocol):
    """The delivery: it knows what it sent, and hears how far hosts are."""

    async def wait(self, request: ConvergenceRequest) -> ConvergenceReply:
        """Answer when the write has converged, or when the time is up.

        `NotFound` when no manager of that name tells hosts anything, or it has made no such
        write; `InvalidInput` when the revision's text is none."""
        ...
