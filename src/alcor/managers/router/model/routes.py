"""The routes of tenants: which can be followed, and adding and removing some. Pure.

Source: neutron.db.extraroute_db.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alcor.intent.records import HostRoute
from alcor.managers.router.model.attachments import Attachment, Place
from alcor.managers.router.model.refusals import InvalidRoutes, RoutesExhausted
from alcor.values.addresses import address, prefix


def routes_of(items: Iterable[Mapping[str, Any]]) -> tuple[HostRoute, ...]:
    """The routes of a checked body."""
    return tuple(HostRoute(item["destination"], item["nexthop"]) for item in items)


def check_routes(
    routes: Sequence[HostRoute], attachments: Iterable[Attachment], count_max: int
) -> None:
    """That each next hop is on a subnet of the router and is not the router itself, and that there
    are not more than `count_max`, if that is not negative."""
    if 0 <= count_max < len(routes):
        raise RoutesExhausted
    places = [place for each in attachments for place in each.places]
    own = {place.parsed for place in places}
    for route in routes:
        nexthop = address(route.nexthop)
        if prefix(route.destination).version != nexthop.version:
            raise InvalidRoutes(routes, "the nexthop is of the other IP version")
        if not any(place.prefix.covers(nexthop) for place in places):
            raise InvalidRoutes(routes, "the nexthop is not connected with router")
        if nexthop in own:
            raise InvalidRoutes(routes, "the nexthop is used by router")


def with_routes(held: Sequence[HostRoute], more: Iterable[HostRoute]) -> tuple[HostRoute, ...]:
    """The routes with more of them; those that are there already stay as they are."""
    return tuple(dict.fromkeys([*held, *more]))


def without_routes(held: Iterable[HostRoute], less: Iterable[HostRoute]) -> tuple[HostRoute, ...]:
    """The routes without some; it is no error when those are not there."""
    going = set(less)
    return tuple(route for route in held if route not in going)


def need_place(routes: Iterable[HostRoute], place: Place) -> bool:
    """Whether a route's next hop is on the place's subnet."""
    return any(place.prefix.covers(address(route.nexthop)) for route in routes)
