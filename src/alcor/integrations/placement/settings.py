"""How Placement is told. Apart from who tells it, which loads much: it runs only where set."""

from typing import Annotated

import msgspec

from alcor.integrations.pace import Upkeep


class PlacementSettings(Upkeep, frozen=True, kw_only=True):
    """Settings of who is told what hosts have to guarantee."""

    endpoint: Annotated[
        str,
        msgspec.Meta(description="Placement's API, as in http://127.0.0.1:8778; empty: none"),
    ] = ""
