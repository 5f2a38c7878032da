"""How names are published. Apart from the publisher, which loads much: it runs only where set."""

from typing import Annotated

import msgspec

from alcor.integrations.pace import Upkeep


class DesignateSettings(Upkeep, frozen=True, kw_only=True):
    """Settings of where names are published."""

    endpoint: Annotated[
        str, msgspec.Meta(description="Designate's API, as in http://127.0.0.1:9001; empty: none")
    ] = ""
    reverse: Annotated[
        bool,
        msgspec.Meta(description="Whether addresses of floating IPs lead to their names (PTR)"),
    ] = False
    ipv4_zone_bits: Annotated[
        int,
        msgspec.Meta(ge=8, le=24, multiple_of=8, description="Length of IPv4 reverse zones"),
    ] = 24
    ipv6_zone_bits: Annotated[
        int,
        msgspec.Meta(ge=4, le=124, multiple_of=4, description="Length of IPv6 reverse zones"),
    ] = 116
    zone_email: Annotated[
        str, msgspec.Meta(description="Whom reverse zones name; empty: admin@ their own name")
    ] = ""
