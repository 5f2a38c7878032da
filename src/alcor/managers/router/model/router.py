"""A router as clients see it, and what a body makes of it. Pure.

Every host routes (there is no central one), and a gateway moves when its host is lost: so `ha` and
`distributed` are always true. A router is in the availability zones that it was asked for in.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from alcor.intent.records import HostRoute
from alcor.managers.router.model.conntrack_helper import ShownHelper
from alcor.managers.router.model.gateway import GatewayInfo
from alcor.resource.revisions import revised
from alcor.values.errors import BadRequest


class Router(msgspec.Struct, frozen=True, kw_only=True):
    """A router (Neutron API reference, "Routers")."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    admin_state_up: bool
    status: str = "ACTIVE"
    external_gateway_info: GatewayInfo | None = None
    external_gateways: tuple[GatewayInfo, ...] = ()  # the first is the one above
    enable_default_route_ecmp: bool = False
    enable_default_route_bfd: bool = False
    routes: tuple[HostRoute, ...] = ()
    ha: bool = True
    distributed: bool = True
    availability_zone_hints: tuple[str, ...] = ()
    availability_zones: tuple[str, ...] = ()
    flavor_id: str | None = None
    enable_ndp_proxy: bool = False
    conntrack_helpers: tuple[ShownHelper, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str

    @property
    def gateways(self) -> tuple[GatewayInfo, ...]:
        """All of them, the first first; a row that older code saved says of that one only."""
        first = self.external_gateway_info
        return (first, *self.external_gateways[1:]) if first is not None else ()

    @property
    def qos_policy_id(self) -> str | None:
        """Of its gateway."""
        info = self.external_gateway_info
        return info.qos_policy_id if info is not None else None


def router(values: Mapping[str, Any], id_: str, now: str) -> Router:
    """The router that a checked body asks for, without its gateway."""
    if values["flavor_id"] and (values["ha"] is not None or values["distributed"] is not None):
        raise BadRequest("Bad router request: ha and distributed are the flavor's to say.")
    return Router(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        admin_state_up=values["admin_state_up"],
        availability_zone_hints=tuple(values["availability_zone_hints"]),
        availability_zones=tuple(values["availability_zone_hints"]),
        flavor_id=values["flavor_id"],
        enable_ndp_proxy=bool(values["enable_ndp_proxy"]),
        enable_default_route_ecmp=bool(values["enable_default_route_ecmp"]),
        enable_default_route_bfd=bool(values["enable_default_route_bfd"]),
        description=values["description"],
        revision_number=1,
        created_at=now,
        updated_at=now,
    )


PLAIN = frozenset({"name", "admin_state_up", "description"})


def plain_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a checked PUT's changes that are nobody else's business."""
    found = {name: value for name, value in changes.items() if name in PLAIN}
    if "tags" in changes:
        found["tags"] = tuple(changes["tags"])
    for flag in ("enable_ndp_proxy", "enable_default_route_ecmp", "enable_default_route_bfd"):
        if changes.get(flag) is not None:
            found[flag] = changes[flag]
    return found


def with_first(old: Router, info: GatewayInfo | None) -> dict[str, Any]:
    """The changes that make this the first gateway; without one the next is the first."""
    more = old.gateways[1:]
    return with_gateways((info, *more) if info is not None else more)


def with_one(old: Router, held: GatewayInfo, info: GatewayInfo) -> dict[str, Any]:
    """The changes that put a gateway in the place of one that the router has."""
    gateways = list(old.gateways)
    gateways[gateways.index(held)] = info
    return with_gateways(gateways)


def without(old: Router, going: Iterable[GatewayInfo]) -> dict[str, Any]:
    """The changes that take gateways away that the router has."""
    gateways = list(old.gateways)
    for each in going:
        gateways.remove(each)
    return with_gateways(gateways)


def with_gateways(gateways: Sequence[GatewayInfo]) -> dict[str, Any]:
    """The changes that make these the router's gateways."""
    return {
        "external_gateway_info": gateways[0] if gateways else None,
        "external_gateways": tuple(gateways),
    }


def changed(old: Router, values: Mapping[str, Any], now: str) -> Router:
    """The router with these values; the very same when nothing is different."""
    if "external_gateway_info" in values and "external_gateways" not in values:
        values = {**values, **with_first(old, values["external_gateway_info"])}
    if old.availability_zones != old.availability_zone_hints:  # older code saved it, meanwhile
        values = {**values, "availability_zones": old.availability_zone_hints}
    return revised(old, values, now)
