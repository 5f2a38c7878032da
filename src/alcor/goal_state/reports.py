"""What a host reports: how far it is, and which ports are up.

The report log's keys: `host/<host>` (a `HostReport`) and `port/<port id>` (a `PortReport`).
"""

from enum import StrEnum

import msgspec


class PortStatus(StrEnum):
    """What became of a port on its host."""

    UP = "up"  # its flows are acknowledged by the switch
    DOWN = "down"  # no interface, or administratively down
    FAILED = "failed"  # the reason says why


class PortReport(msgspec.Struct, frozen=True):
    """One port, as its host sees it."""

    port_id: str
    host: str
    status: PortStatus
    reason: str = ""


class HostReport(msgspec.Struct, frozen=True, kw_only=True):
    """One host: alive at `at`, with everything up to `position` of `epoch` on its switch."""

    host: str
    epoch: int
    position: int
    flows: int = 0
    version: str = ""
    tunnel_ip: str = ""  # as text; empty when the host did not say
    connected: bool = True
    physical_networks: tuple[str, ...] = ()  # to which the host has an uplink


def host_key(host: str) -> str:
    """The key of a host's report."""
    return f"host/{host}"


def port_key(port_id: str) -> str:
    """The key of a port's report."""
    return f"port/{port_id}"
