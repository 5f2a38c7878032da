"""What the host knows of taps: whose frames are copied for ports of the cloud, and for which. Pure.

A part of `HostModel`. A copy goes straight to the tap: if that is here to its interface,
else to its host, by a tunnel port that nothing else uses. What comes in there goes by its number to
the tap and nowhere else; so a copy is never copied, forwarded, flooded or taken for a frame of a
network.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from alcor.agent.model.holding import put_nested
from alcor.agent.model.unit import Unit, UnitKind
from alcor.goal_state.entries import Tap, TapFlow
from alcor.ovs.flow import Action, Clone, load, output, set_field
from alcor.values.addresses import Address

# A switch sends nothing back to where it came from; a tap may share an interface with its source.
FROM_NOWHERE = load("in_port", 0, bits=16)
_NOTHING: Mapping[str, Any] = {}


class Tapping:
    """Taps by their port; flows by the port that is copied."""

    def __init__(self) -> None:
        self._taps: dict[str, dict[str, Tap]] = {}
        self._flows: dict[str, dict[str, TapFlow]] = {}
        self._sources: dict[str, dict[str, str]] = {}  # by the tap's port: of each flow

    @property
    def is_wanted(self) -> bool:
        """Whether the switch needs a port for copies."""
        return bool(self._taps or self._flows)

    def put(self, entry: Tap | TapFlow, *, is_there: bool) -> set[Unit]:
        """Hold an entry, whose ports never change, or no more; the port whose flows are others."""
        if isinstance(entry, Tap):
            put_nested(self._taps, entry.port_id, entry.id, entry if is_there else None)
        else:
            put_nested(self._flows, entry.port_id, entry.id, entry if is_there else None)
            source = entry.port_id if is_there else None
            put_nested(self._sources, entry.tap_port_id, entry.id, source)
        return {_unit(entry.port_id)}

    def units(self) -> set[Unit]:
        """The ports that are copied, or get copies from other hosts."""
        return {_unit(each) for each in (*self._taps, *self._flows)}

    def units_to(self, port_id: str) -> set[Unit]:
        """The ports whose copies go to a port."""
        return {_unit(each) for each in self._sources.get(port_id, _NOTHING).values()}

    def numbers_of(self, port_id: str) -> tuple[int, ...]:
        """The numbers under which other hosts send what is for a port."""
        if port_id not in self._taps:  # as most: asked for every port
            return ()
        return tuple(sorted({tap.number for tap in self._taps[port_id].values()}))

    def flows_of(self, port_id: str) -> list[TapFlow]:
        """The flows that copy what passes a port, in order of their ids."""
        held = self._flows.get(port_id)
        if held is None:
            return []
        return [held[id_] for id_ in sorted(held)]


def copies(
    flow: TapFlow, here: Iterable[Action] | None, ofport: int, own: Address | None
) -> tuple[Action, ...]:
    """What copies a frame for a tap, whatever becomes of the frame itself.

    `here` is what hands a frame to the tap on this host, if it is here; `ofport` the switch's port
    to other hosts (0: there is none), `own` this host's address.
    """
    handed = [] if here is None else [Clone((FROM_NOWHERE, *here))]
    ends = [each for each in flow.endpoints if each != own] if ofport else []
    number = set_field("tun_id", flow.number)
    sent = [Clone((number, set_field("tun_dst", end.number), output(ofport))) for end in ends]
    return (*handed, *sent)


def _unit(port_id: str) -> Unit:
    return Unit(UnitKind.PORT, port_id)
