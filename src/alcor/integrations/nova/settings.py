"""How Nova is told. Apart from the notifier, which loads much: it runs only where it is set."""

from typing import Annotated

import msgspec

from alcor.integrations.pace import Pace


class NovaSettings(Pace, frozen=True, kw_only=True):
    """Settings of what Nova is told."""

    endpoint: Annotated[
        str,
        msgspec.Meta(description="Nova's API, as in http://127.0.0.1:8774/v2.1; empty: none"),
    ] = ""
    batch_max: Annotated[int, msgspec.Meta(ge=1, description="Most events of one call")] = 200
