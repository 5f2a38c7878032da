"""What the managers' process asks of the delivery's, when they are two.

The managers' process keeps the logs `intent` and `reports` for it.
"""

from typing import Protocol

import msgspec


class Nothing(msgspec.Struct, frozen=True):
    """No argument, or no result."""


class Start(msgspec.Struct, frozen=True):
    """Listen for hosts, in this life of the logs; serve them when each of these managers has told
    all it has."""

    epoch: int
    managers: list[str]


class Started(msgspec.Struct, frozen=True):
    """The TCP port for hosts, or why there is none."""

    port: int = 0
    problem: str = ""


class Ready(msgspec.Struct, frozen=True):
    """Whether hosts get snapshots."""

    ready: bool


class Exposition(msgspec.Struct, frozen=True):
    """Metrics in Prometheus' text format."""

    text: str


class DeliveryPeer(Protocol):
    """The delivery; it also keeps `ConvergencePeer` and `TracePeer`."""

    async def start(self, request: Start) -> Started:
        """Listen for hosts, and serve them when the intent log is complete; once."""
        ...

    async def ready(self, request: Nothing) -> Ready:
        """Whether all intent has been planned once."""
        ...

    async def metrics(self, request: Nothing) -> Exposition:
        """What its process counts."""
        ...

    async def stop(self, request: Nothing) -> Nothing:
        """Hang up on hosts."""
        ...
