"""A router as clients see it, and what a body makes of it. Pure.

Every host routes (there is no central one), and a gateway moves when its host is lost: so `ha` and
`distributed` are always true.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.intent.records import HostRoute
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
    routes: tuple[HostRoute, ...] = ()
    ha: bool = True
    distributed: bool = True
    availability_zone_hints: tuple[str, ...] = ()
    availability_zones: tuple[str, ...] = ()
    flavor_id: str | None = None
    enable_ndp_proxy: bool = False
    description: str = ""
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str

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
        flavor_id=values["flavor_id"],
        enable_ndp_proxy=bool(values["enable_ndp_proxy"]),
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
    if changes.get("enable_ndp_proxy") is not None:
        found["enable_ndp_proxy"] = changes["enable_ndp_proxy"]
    return found


def changed(old: Router, values: Mapping[str, Any], now: str) -> Router:
    """The router with these values; the very same when nothing is different."""
    return revised(old, values, now)
