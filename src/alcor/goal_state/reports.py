"""What a host reports: how far it is, and which ports are up.

The report log's keys: `host/<host>` (a `HostReport`), `port/<host>/<port id>` (a `PortReport`) and
`delivery/<id>`, which each delivery puts anew every few seconds, so that it is missed when it dies.
What it puts there is `ASKED`, if others can ask it how far its hosts are.
Every key has one writer at a time: the delivery that has the host's newest connection. Beside them
is `placement/<host>` (a `SyncReport`), of who tells Placement.
"""

from enum import StrEnum

import msgspec

from alcor.values.capacity import Capacity

ASKED = b"asked"

delivery_beat_every_s = 3.0  # how often a delivery says that it lives
delivery_silence_s_max = 15.0  # one that has not said so for longer lives no more


class PortStatus(StrEnum):
    """What became of a port on its host; of a router's gateway, what became of its next hop."""

    UP = "up"  # its flows are acknowledged by the switch
    DOWN = "down"  # no interface, or administratively down
    FAILED = "failed"  # the reason says why
    UNWATCHED = "unwatched"  # of a router's gateway: nobody knows whether its next hop lives


class PortReport(msgspec.Struct, frozen=True):
    """One port, as its host sees it."""

    port_id: str
    host: str
    status: PortStatus
    reason: str = ""
    ofport: int = 0  # of an interface that is up: another number, plugged in anew; 0: not said
    # False: UNWATCHED. The release before knows no such status, and must read what is in the log.
    watched: bool = True

    @property
    def said(self) -> PortStatus:
        """The status that the host said."""
        return self.status if self.watched else PortStatus.UNWATCHED


def port_report(
    port_id: str, host: str, said: PortStatus, reason: str = "", ofport: int = 0
) -> PortReport:
    """What a host said of a port, as the report log keeps it."""
    watched = said is not PortStatus.UNWATCHED
    status = said if watched else PortStatus.DOWN
    return PortReport(port_id, host, status, reason, ofport, watched)


class HostReport(msgspec.Struct, frozen=True, kw_only=True):
    """One host: with everything up to `position` of `epoch` on its switch, when this was told.

    Goal-log positions mean something to one delivery only. `reached` says the same to all: of the
    intent log, in its life `life`, everything up to here that concerns the host is on its switch.
    It may have more meanwhile: its delivery is asked for that.
    """

    host: str
    epoch: int
    position: int
    flows: int = 0
    version: str = ""
    tunnel_ip: str = ""  # as text; empty when the host did not say
    connected: bool = True
    physical_networks: tuple[str, ...] = ()  # to which the host has an uplink
    capacity: Capacity | None = None  # what it has to guarantee; None: nothing
    delivery: int = 0  # the id of the delivery that it is, or was, connected to
    life: str = ""
    reached: int = 0
    bridge: str = ""  # the integration bridge; empty when the host did not say
    datapath_type: str = ""  # of it; empty when the host has not said yet
    fault: str = ""  # why its switch can't be told anything now; empty: it can


class SyncReport(msgspec.Struct, frozen=True):
    """Whether Placement knows all that a host has to guarantee."""

    host: str
    is_whole: bool | None  # None: there is nothing to know


def placement_key(host: str) -> str:
    """The key of what Placement knows of a host."""
    return f"placement/{host}"


def host_key(host: str) -> str:
    """The key of a host's report."""
    return f"host/{host}"


def port_key(host: str, port_id: str) -> str:
    """The key of what a host reports of a port."""
    return f"port/{host}/{port_id}"


delivery_prefix = "delivery/"


def delivery_key(delivery: int) -> str:
    """The key under which a delivery says that it lives."""
    return f"{delivery_prefix}{delivery}"
