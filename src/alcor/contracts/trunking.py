"""Ports as parts of trunks: what the trunk manager asks of the port manager.

A parent's interface sends frames with VLAN tags too; each tag is a sub-port, which is a port of a
network of its own and is wherever its parent is. Who is on which trunk is known to the ports.
"""

from typing import Protocol

import msgspec

from alcor.values.errors import Conflict

TRUNK_SUBPORT = "trunk:subport"  # device owner of sub-ports; their device is the trunk


class TrunkPortInUse(Conflict):
    """The port is a sub-port already."""

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Port {port_id} is in use by another trunk.")


class ParentPortInUse(Conflict):
    """The port is a parent already, or something else than a machine's."""

    def __init__(self, port_id: str) -> None:
        super().__init__(
            f"Port {port_id} is currently in use and is not eligible for use as a parent port."
        )


class Seat(msgspec.Struct, frozen=True):
    """A sub-port, and the VLAN id of its frames on its parent's interface."""

    port_id: str
    segmentation_id: int


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """A port is the parent of a trunk, and these are its sub-ports, beside those that are."""

    trunk_id: str
    parent_id: str
    seats: tuple[Seat, ...] = ()
    trace: str = ""


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """These ports are of the trunk no more; with its parent all its sub-ports leave."""

    trunk_id: str
    port_ids: tuple[str, ...]
    trace: str = ""


class Seated(msgspec.Struct, frozen=True):
    """It holds now; the revision by which hosts hear of it."""

    revision: str


class TrunkPortPeer(Protocol):
    """The port manager, to the trunk manager. Every verb may be repeated."""

    async def join(self, request: Joining) -> Seated:
        """All of these, or none; a `Refusal` when a port is not there, or is used otherwise."""
        ...

    async def leave(self, request: Leaving) -> Seated:
        """No error for a port that is not on the trunk, or gone."""
        ...
