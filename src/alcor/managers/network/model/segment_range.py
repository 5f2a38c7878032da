"""Ranges of segmentation ids, and from which a network gets its own. Pure.

Ids are given out in turn, from a place that is kept for each source: one that a network gave back
comes again when the others have been used, as hosts that have not heard still take it for that
network's.

A project that has ranges of its own gets ids out of them, and once they are used up out of what is
everybody's: the region's VNIs (the default range), or the shared ranges of a physical network, or
all its VLANs when it has none. Nobody else gets an id of a project's range. An administrator who
names an id is bound by none of this. A VLAN network for which nobody names a physical network is on
one that has a range for its project, or else a shared one.
Source: Neutron API reference v2, "Network Segment Ranges"; neutron.services.network_segment_range.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec

from alcor.managers.network.model.segment import TUNNELS, VLAN, VXLAN, vlan_max
from alcor.resource.revisions import revised
from alcor.values.errors import BadRequest, Conflict, InvalidInput

DEFAULT_ID = str(uuid5(NAMESPACE_URL, "alcor:network-segment-range:vxlan"))
ids_shown_max = 1_000  # of those that are used, and of those that are available


class NetworkSegmentRangeNetTypeNotSupported(BadRequest):
    """Networks of this type have no such ids here."""

    def __init__(self, type_: str) -> None:
        super().__init__(f"Network type {type_} does not support network segment ranges.")


class NetworkSegmentRangeReferencedByProject(Conflict):
    """Networks have ids of it."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Network Segment Range {id_} is referenced by one or more project networks."
        )


class NetworkSegmentRangeDefaultReadOnly(BadRequest):
    """The region's VNIs are the operator's configuration."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Network Segment Range {id_} is a default segment range which could not be updated "
            "or deleted."
        )


class Span(NamedTuple):
    """Ids, both ends included."""

    first: int
    last: int


class Source(NamedTuple):
    """Ids that are given out in turn."""

    id: str  # the range's, or the physical network of all these VLANs
    span: Span


class SegmentRange(msgspec.Struct, frozen=True, kw_only=True):
    """A range."""

    id: str
    name: str
    default: bool = False
    shared: bool
    project_id: str | None  # None: shared
    tenant_id: str | None
    network_type: str
    physical_network: str | None  # of VLANs
    minimum: int
    maximum: int
    description: str = ""
    tags: tuple[str, ...] = ()
    revision_number: int = 1
    created_at: str
    updated_at: str

    @property
    def span(self) -> Span:
        return Span(self.minimum, self.maximum)

    @property
    def source(self) -> Source:
        return Source(self.id, self.span)


class Choice(NamedTuple):
    """Where to look for an id, in order, and what of it is others' unless it is `own`."""

    own: tuple[Source, ...]
    everybodys: tuple[Source, ...]
    reserved: tuple[Span, ...]


class Place(NamedTuple):
    """A range of a physical network's VLANs, to look for one."""

    physical_network: str
    choice: Choice


def segment_range(
    values: Mapping[str, Any], id_: str, now: str, whole: Span, tunnel_type: str = VXLAN
) -> SegmentRange:
    """The range that a checked body asks for; `whole` are the VNIs of the region's tunnels."""
    type_, physical = values["network_type"], values["physical_network"] or None
    if type_ not in (tunnel_type, VLAN):
        raise NetworkSegmentRangeNetTypeNotSupported(type_)
    if type_ == VLAN and physical is None:
        raise _invalid("physical_network required for vlan network segment ranges")
    if type_ in TUNNELS and physical is not None:
        raise _invalid(f"physical_network prohibited for {type_} network segment ranges")
    project = None if values["shared"] else values["project_id"]
    new = SegmentRange(
        id=id_,
        name=values["name"],
        shared=values["shared"],
        project_id=project,
        tenant_id=project,
        network_type=type_,
        physical_network=physical,
        minimum=values["minimum"],
        maximum=values["maximum"],
        description=values["description"],
        created_at=now,
        updated_at=now,
    )
    return _checked(new, whole)


def default_range(whole: Span, now: str, tunnel_type: str = VXLAN) -> SegmentRange:
    """The region's VNIs as a range."""
    return SegmentRange(
        id=DEFAULT_ID,
        name="",
        default=True,
        shared=True,
        project_id=None,
        tenant_id=None,
        network_type=tunnel_type,
        physical_network=None,
        minimum=whole.first,
        maximum=whole.last,
        created_at=now,
        updated_at=now,
    )


def changed(old: SegmentRange, changes: Mapping[str, Any], now: str, whole: Span) -> SegmentRange:
    """The range after a checked PUT."""
    if old.default:
        raise NetworkSegmentRangeDefaultReadOnly(old.id)
    new = dict(changes)
    if "tags" in new:
        new["tags"] = tuple(new["tags"])
    return _checked(revised(old, new, now), whole)


def check_used(old: SegmentRange, new: SegmentRange | None, used: Mapping[int, str]) -> None:
    """That no id which networks have of the range is lost to it."""
    mine = [n for n, project in used.items() if old.shared or project == old.project_id]
    if any(new is None or not new.minimum <= number <= new.maximum for number in mine):
        raise NetworkSegmentRangeReferencedByProject(old.id)


def choice(
    ranges: Iterable[SegmentRange], project: str, physical_network: str | None, whole: Span
) -> Choice:
    """Where a network of the project finds its id."""
    of_kind = [each for each in ranges if each.physical_network == physical_network]
    shared = [each.source for each in of_kind if each.shared and not each.default]
    private = [each for each in of_kind if not each.shared]
    # The region's VNIs are one range, of which the other shared ones are parts.
    every = Source(DEFAULT_ID if physical_network is None else physical_network, whole)
    return Choice(
        own=tuple(each.source for each in private if each.project_id == project),
        everybodys=tuple(shared) if shared and physical_network is not None else (every,),
        reserved=tuple(sorted(each.span for each in private)),
    )


def places(ranges: Iterable[SegmentRange], project: str) -> list[Place]:
    """Where to look for a VLAN of whatever physical network: first in the project's own ranges."""
    held = sorted((each for each in ranges if each.physical_network), key=_by_place)
    own = [each for each in held if not each.shared and each.project_id == project]
    reserved: dict[str | None, list[Span]] = {}
    for each in held:
        if not each.shared:
            reserved.setdefault(each.physical_network, []).append(each.span)
    return [
        *(Place(each.physical_network or "", Choice((each.source,), (), ())) for each in own),
        *(
            Place(
                each.physical_network or "",
                Choice((), (each.source,), tuple(sorted(reserved.get(each.physical_network, ())))),
            )
            for each in held
            if each.shared
        ),
    ]


def _by_place(found: SegmentRange) -> tuple[str, int]:
    return found.physical_network or "", found.minimum


def free_number(span: Span, taken: Iterable[int], reserved: Sequence[Span]) -> int:
    """The first of the span that is neither taken nor reserved, 0 when there is none.

    `taken` are in order, and `reserved` too.
    """
    candidate = _beyond(span.first, reserved)
    for number in taken:
        if number > candidate:
            break
        if number == candidate:
            candidate = _beyond(candidate + 1, reserved)
    return candidate if candidate <= span.last else 0


def shown(found: SegmentRange, used: Mapping[int, str]) -> dict[str, Any]:
    """As clients see it, with some of the ids that are used, and some that are available."""
    free = (n for n in range(found.minimum, found.maximum + 1) if n not in used)
    kept: dict[str, Any] = msgspec.to_builtins(found)
    return kept | {
        "used": {str(number): used[number] for number in sorted(used)[:ids_shown_max]},
        "available": [n for n, _ in zip(free, range(ids_shown_max), strict=False)],
    }


def _beyond(number: int, reserved: Sequence[Span]) -> int:
    for first, last in reserved:
        if first <= number <= last:
            number = last + 1
    return number


def _checked(new: SegmentRange, whole: Span) -> SegmentRange:
    low, high = (1, vlan_max) if new.network_type == VLAN else whole
    if new.minimum > new.maximum:
        raise _invalid(f"minimum {new.minimum} is greater than maximum {new.maximum}")
    if new.minimum < low or new.maximum > high:
        raise _invalid(f"network segment ids out of range ({low} through {high})")
    return new


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {reason}.")
