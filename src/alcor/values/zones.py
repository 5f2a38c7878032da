"""Availability zones: operators say of which one a host is; it is in `nova` if they don't."""

from collections.abc import Collection, Iterable

from alcor.values.errors import NotFound

ZONE = "nova"  # as Neutron's default is called


class AvailabilityZoneNotFound(NotFound):
    """There is no such zone."""

    def __init__(self, name: str) -> None:
        super().__init__(f"AvailabilityZone {name[:255]} could not be found.")


def check_hints(names: Iterable[str], zones: Collection[str]) -> None:
    """That all the zones that are asked for are there."""
    for name in names:
        if name not in zones:
            raise AvailabilityZoneNotFound(name)
