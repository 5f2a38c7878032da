"""What flows are made for. Pure."""

from enum import IntEnum
from typing import NamedTuple

from alcor.values.addresses import Prefix


class UnitKind(IntEnum):
    """In the order in which flows are put on the switch; the first wins a key that two make."""

    HOST = 1
    PORT = 2
    NETWORK = 3
    SUBNET = 4
    NEIGHBOUR = 5
    SHARED = 6
    HOLDER = 7
    ROUTER = 10
    FLOATING = 11
    OUTSIDE = 12
    GRANT = 20
    REMOTE = 21
    SERVICE = 22
    ACL = 30
    METERING = 40


class Unit(NamedTuple):
    """What flows are made for: the host, a port, a network, a router ...

    Of addresses that several ports may have: those of a network, and one that somebody has.
    Of security groups: a grant, a prefix of remotes, a service. Of what is outside: a floating IP,
    an address that was found there.
    """

    kind: UnitKind
    id: str = ""
    network_id: str = (
        ""  # of a subnet, a neighbour, a holder, somebody outside; of a floating IP its router
    )


HOST_UNIT = Unit(UnitKind.HOST)


def prefix_id(prefix: Prefix) -> str:
    """The id of the unit that is about a prefix."""
    return f"{prefix.version}/{prefix.number:x}/{prefix.length}"


def prefix_of(unit: Unit) -> Prefix:
    """The prefix that a unit of its kind is about."""
    version, number, length = unit.id.split("/")
    return Prefix(int(version), int(number, 16), int(length))
