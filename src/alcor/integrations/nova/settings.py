"""How Nova is told. Apart from the notifier, which loads much: it runs only where it is set."""

from typing import Annotated

import msgspec


class NovaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of what Nova is told."""

    endpoint: Annotated[
        str,
        msgspec.Meta(description="Nova's API, as in http://127.0.0.1:8774/v2.1; empty: none"),
    ] = ""
    interval_s: Annotated[
        float, msgspec.Meta(ge=0, description="Events that come within so many seconds go together")
    ] = 0.2
    batch_max: Annotated[int, msgspec.Meta(ge=1, description="Most events of one call")] = 200
    timeout_s: Annotated[
        float, msgspec.Meta(gt=0, description="Longest wait for Nova, in seconds")
    ] = 10.0
    retry_s_max: Annotated[
        float, msgspec.Meta(gt=0, description="Longest pause before Nova is tried again, seconds")
    ] = 30.0
