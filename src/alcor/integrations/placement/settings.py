"""How Placement is told. Apart from who tells it, which loads much: it runs only where set."""

from typing import Annotated

import msgspec


class PlacementSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of who is told what hosts have to guarantee."""

    endpoint: Annotated[
        str,
        msgspec.Meta(description="Placement's API, as in http://127.0.0.1:8778; empty: none"),
    ] = ""
    interval_s: Annotated[
        float,
        msgspec.Meta(ge=0, description="Hosts that change within so many seconds go together"),
    ] = 0.2
    calls_max: Annotated[int, msgspec.Meta(ge=1, description="Most calls of Placement at once")] = 4
    timeout_s: Annotated[
        float, msgspec.Meta(gt=0, description="Longest wait for Placement, in seconds")
    ] = 10.0
    retry_s_max: Annotated[
        float, msgspec.Meta(gt=0, description="Longest pause before it is tried again, seconds")
    ] = 30.0
    compare_s: Annotated[
        float, msgspec.Meta(gt=0, description="Seconds between looks whether all is as it was told")
    ] = 600.0
