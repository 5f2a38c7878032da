"""A trunk as clients see it, and what a body makes of it. Pure.

While `admin_state_up` is false the trunk is kept as it is; packets are not concerned. Source:
neutron.services.trunk (plugin, rules).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from alcor.contracts.trunking import ParentPortInUse, TrunkPortInUse
from alcor.managers.trunk.model.refusals import (
    DuplicateSubPort,
    SubPortNotFound,
    SubPortsExhausted,
    TrunkDisabled,
)
from alcor.resource.revisions import revised

VLAN, INHERIT = "vlan", "inherit"  # segmentation types; the second is the network's own VLAN id


class Status(StrEnum):
    """Neutron's words for how a trunk is."""

    ACTIVE = "ACTIVE"  # so are all its ports
    BUILD = "BUILD"  # its parent is, and some sub-port is not yet
    DEGRADED = "DEGRADED"  # its host can't have some sub-port
    DOWN = "DOWN"  # its parent is not
    ERROR = "ERROR"  # its host can't have its parent


class SubPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port of the trunk, and the tag of its frames."""

    port_id: str
    segmentation_type: str = VLAN
    segmentation_id: int


class Trunk(msgspec.Struct, frozen=True, kw_only=True):
    """A trunk (Neutron API reference, "Trunk networking")."""

    id: str
    name: str
    port_id: str
    tenant_id: str
    project_id: str
    admin_state_up: bool
    status: str = Status.DOWN
    sub_ports: tuple[SubPort, ...] = ()
    description: str
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str

    @property
    def port_ids(self) -> list[str]:
        """Of the parent and all sub-ports."""
        return [self.port_id, *(each.port_id for each in self.sub_ports)]


def trunk(values: Mapping[str, Any], id_: str, now: str) -> Trunk:
    """The trunk that a checked body asks for, without its sub-ports."""
    return Trunk(
        id=id_,
        name=values["name"],
        port_id=values["port_id"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        admin_state_up=values["admin_state_up"],
        description=values["description"],
        revision_number=1,
        created_at=now,
        updated_at=now,
    )


PLAIN = frozenset({"name", "admin_state_up", "description"})


def changed(old: Trunk, changes: Mapping[str, Any], now: str) -> Trunk:
    """After a checked PUT; the very same when nothing is different."""
    values = {name: value for name, value in changes.items() if name in PLAIN}
    if "tags" in changes:
        values["tags"] = tuple(changes["tags"])
    return revised(old, values, now)


def check_enabled(trunk: Trunk) -> None:
    """`TrunkDisabled` while it is to stay as it is."""
    if not trunk.admin_state_up:
        raise TrunkDisabled(trunk.id)


def with_sub_ports(old: Trunk, more: Sequence[SubPort], count_max: int) -> tuple[SubPort, ...]:
    """Its sub-ports with these beside them; each port and each tag is there once."""
    tags = {each.segmentation_id for each in old.sub_ports}
    ports = {each.port_id for each in old.sub_ports}
    for each in more:
        if each.port_id == old.port_id:
            raise ParentPortInUse(each.port_id)
        if each.port_id in ports:
            raise TrunkPortInUse(each.port_id)
        if each.segmentation_id in tags:
            raise DuplicateSubPort(each.segmentation_type, each.segmentation_id, old.id)
        ports.add(each.port_id)
        tags.add(each.segmentation_id)
    if len(ports) > count_max:
        raise SubPortsExhausted(old.id, count_max)
    return (*old.sub_ports, *more)


def without_sub_ports(old: Trunk, port_ids: Sequence[str]) -> tuple[SubPort, ...]:
    """Its sub-ports without these, all of which must be there."""
    there = {each.port_id for each in old.sub_ports}
    for port_id in port_ids:
        if port_id not in there:
            raise SubPortNotFound(old.id, port_id)
    return tuple(each for each in old.sub_ports if each.port_id not in port_ids)


class Wired(StrEnum):
    """What a port's own host says of it."""

    UP = "up"
    FAILED = "failed"
    NOT_YET = "not yet"


def status_of(parent: Wired, sub_ports: Sequence[Wired]) -> Status:
    """How a trunk is whose ports are so."""
    if parent is not Wired.UP:
        return Status.ERROR if parent is Wired.FAILED else Status.DOWN
    if Wired.FAILED in sub_ports:
        return Status.DEGRADED
    return Status.BUILD if Wired.NOT_YET in sub_ports else Status.ACTIVE
