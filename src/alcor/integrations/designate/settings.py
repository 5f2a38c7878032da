"""How names are published. Apart from the publisher, which loads much: it runs only where set."""

from typing import Annotated

import msgspec


class DesignateSettings(msgspec.Struct, frozen=True, kw_only=True):
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
    interval_s: Annotated[
        float,
        msgspec.Meta(ge=0, description="Names that change within so many seconds go together"),
    ] = 0.2
    calls_max: Annotated[int, msgspec.Meta(ge=1, description="Most calls of Designate at once")] = 4
    timeout_s: Annotated[
        float, msgspec.Meta(gt=0, description="Longest wait for Designate, in seconds")
    ] = 10.0
    retry_s_max: Annotated[
        float, msgspec.Meta(gt=0, description="Longest pause before it is tried again, seconds")
    ] = 30.0
    compare_s: Annotated[
        float, msgspec.Meta(gt=0, description="Seconds between looks whether all is as it was put")
    ] = 600.0
