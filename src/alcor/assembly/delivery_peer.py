"""What the managers' process and the delivery's ask of each other, when they are two."""

from typing import Protocol

import msgspec


class Nothing(msgspec.Struct, frozen=True):
    """No argument, or no result."""


class Start(msgspec.Struct, frozen=True):
    """Listen for hosts, in this life of the logs."""

    epoch: int


class Started(msgspec.Struct, frozen=True):
    """The TCP port for hosts, or why there is none."""

    port: int = 0
    problem: str = ""


class Ready(msgspec.Struct, frozen=True):
    """Whether hosts get snapshots."""

    ready: bool


class Sequences(msgspec.Struct, frozen=True):
    """The last sequence of each manager, once the intent log is complete."""

    last_by_manager: dict[str, int]


class Exposition(msgspec.Struct, frozen=True):
    """Metrics in Prometheus' text format."""

    text: str


class DeliveryPeer(Protocol):
    """The delivery; it also keeps `ConvergencePeer`."""

    async def start(self, request: Start) -> Started:
        """Listen for hosts, and serve them when the managers say `rebuilt`; once."""
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


class ManagersPeer(Protocol):
    """The managers; their process also keeps the logs `intent` and `reports`."""

    async def rebuilt(self, request: Nothing) -> Sequences:
        """Wait until the intent log holds all there is."""
        ...
