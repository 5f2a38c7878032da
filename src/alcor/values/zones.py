"""Availability zones: a region of ours is one, under the name that Neutron's default has."""

from collections.abc import Iterable

from alcor.values.errors import NotFound

ZONE = "nova"


class AvailabilityZoneNotFound(NotFound):
    """There is no such zone."""

    def __init__(self, name: str) -> None:
        super().__init__(f"AvailabilityZone {name[:255]} could not be found.")


def check_hints(names: Iterable[str]) -> tuple[str, ...]:
    """The zones that are asked for, all of which must be there."""
    found = tuple(names)
    for name in found:
        if name != ZONE:
            raise AvailabilityZoneNotFound(name)
    return found
