"""Of which segment of its network a subnet is. Pure.

All subnets of a network are of segments, or none is. Which one a subnet is of does not change; it
may become one of its network's only segment.
Source: neutron.extensions.segment, neutron.services.segments.exceptions.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from alcor.contracts.segments import SegmentPlace
from alcor.managers.subnet.model import Subnet
from alcor.resource.revisions import revised
from alcor.values.errors import BadRequest, NotFound


class SegmentNotFound(NotFound):
    """There is no such segment, or it is going."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Segment {id_} could not be found.")


class NetworkIdsDontMatch(BadRequest):
    """The segment is another network's."""

    def __init__(self, network_id: str, segment_id: str) -> None:
        super().__init__(
            f"The subnet's network id, '{network_id}', doesn't match the network_id of segment "
            f"'{segment_id}'"
        )


class SubnetsNotAllAssociatedWithSegments(BadRequest):
    """Some subnets would be of segments, and others not."""

    def __init__(self, network_id: str) -> None:
        super().__init__(
            f"All of the subnets on network '{network_id}' must either all be associated with "
            "segments or all not associated with any segments."
        )


class SubnetSegmentAssociationChangeNotAllowed(BadRequest):
    """Ports of the subnet are where its segment is."""

    def __init__(self) -> None:
        super().__init__(
            "A subnet that is already associated with a segment cannot have its segment "
            "association changed."
        )


class NoUpdateSubnetWhenMultipleSegmentsOnNetwork(BadRequest):
    """Ports of the subnet are on the network's first segment."""

    def __init__(self, network_id: str) -> None:
        super().__init__(
            f"The network '{network_id}' has multiple segments, it is only possible to associate "
            "an existing subnet with a segment on networks with a single segment."
        )


def of_segment(subnet: Subnet, place: SegmentPlace | None) -> Subnet:
    """The subnet with what it must know of its segment; a refusal when it can't be of it."""
    if place is None:
        raise SegmentNotFound(subnet.segment_id or "")
    if place.network_id != subnet.network_id:
        raise NetworkIdsDontMatch(subnet.network_id, place.id)
    physical = place.physical_network or msgspec.UNSET
    return msgspec.structs.replace(subnet, segment_id=place.id, physical_network=physical)


def associated(
    subnet: Subnet, changes: Mapping[str, Any], place: SegmentPlace | None, now: str
) -> Subnet:
    """The subnet after a checked PUT that may name a segment, which is at this place."""
    wanted = changes.get("segment_id", subnet.segment_id)
    if wanted == subnet.segment_id:
        return subnet
    if subnet.segment_id is not None:
        raise SubnetSegmentAssociationChangeNotAllowed
    found = of_segment(msgspec.structs.replace(subnet, segment_id=wanted), place)
    if place is None or not place.alone:
        raise NoUpdateSubnetWhenMultipleSegmentsOnNetwork(subnet.network_id)
    known = {"segment_id": found.segment_id, "physical_network": found.physical_network}
    return revised(subnet, known, now)


def check_alike(new: Subnet, others: Iterable[Subnet]) -> None:
    """That all subnets of a network are of segments, or none is."""
    for other in others:
        if other.network_id == new.network_id and bool(other.segment_id) != bool(new.segment_id):
            raise SubnetsNotAllAssociatedWithSegments(new.network_id)
