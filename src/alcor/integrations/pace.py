"""How fast another service is told; a part of its settings. Apart from who tells it, which loads
much: it runs only where set."""

from typing import Annotated

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Of a service that is told what happens."""

    endpoint: str = ""
    interval_s: Annotated[
        float, msgspec.Meta(ge=0, description="What comes within so many seconds goes together")
    ] = 0.2
    timeout_s: Annotated[
        float, msgspec.Meta(gt=0, description="Longest wait for an answer, in seconds")
    ] = 10.0
    retry_s_max: Annotated[
        float, msgspec.Meta(gt=0, description="Longest pause before it is tried again, in seconds")
    ] = 30.0


class Upkeep(Pace, frozen=True, kw_only=True):
    """Of a service that keeps what it is told, and may lose it."""

    calls_max: Annotated[int, msgspec.Meta(ge=1, description="Most calls of it at once")] = 4
    compare_s: Annotated[
        float,
        msgspec.Meta(gt=0, description="Seconds between looks whether it has what it was told"),
    ] = 600.0
