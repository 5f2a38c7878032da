"""Security groups, and why one can't be had. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.resource.revisions import revised
from alcor.values.errors import Conflict, NotFound

default_name = "default"
default_description = "Default security group"


class SecurityGroupNotFound(NotFound):
    """There is no such group, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Security group {id_[:255]} does not exist")


class SecurityGroupInUse(Conflict):
    """Ports are in the group."""

    def __init__(self, id_: str, reason: str = "in use") -> None:
        super().__init__(f"Security Group {id_} {reason}.")


class SecurityGroupDefaultAlreadyExists(Conflict):
    """Only the project's default group has that name."""

    def __init__(self) -> None:
        super().__init__("Default security group already exists.")


class SecurityGroupCannotRemoveDefault(Conflict):
    """The default group stays, whatever its owner wants."""

    def __init__(self) -> None:
        super().__init__("Insufficient rights for removing default security group.")


class SecurityGroupCannotUpdateDefault(Conflict):
    """The default group keeps its name."""

    def __init__(self) -> None:
        super().__init__("Updating default security group not allowed.")


class SecurityGroupIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the security group. Its id is in use.")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A security group as clients see it, without its rules (Neutron API reference)."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    description: str = ""
    stateful: bool = True
    shared: bool = False
    tags: tuple[str, ...] = ()
    revision_number: int = 1
    created_at: str
    updated_at: str

    @property
    def is_default(self) -> bool:
        """No other group can have the name."""
        return self.name == default_name


def group(values: Mapping[str, Any], id_: str, now: str, *, may_be_default: bool) -> Group:
    """The group that a checked body asks for; `SecurityGroupDefaultAlreadyExists` by its name."""
    if not may_be_default or values["name"] != default_name:
        _check_name(values["name"])
    return Group(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        description=values["description"],
        stateful=values["stateful"],
        created_at=now,
        updated_at=now,
    )


def _check_name(name: str) -> None:
    if name.lower() == default_name:
        raise SecurityGroupDefaultAlreadyExists


def default_group(project: str, id_: str, now: str) -> Group:
    """The group that a project has from its first use on."""
    return Group(
        id=id_,
        name=default_name,
        tenant_id=project,
        project_id=project,
        description=default_description,
        created_at=now,
        updated_at=now,
    )


def changed(old: Group, changes: Mapping[str, Any], now: str) -> Group:
    """The group after a checked PUT; the very same value when nothing is different."""
    _check_name(changes.get("name", ""))
    if old.is_default and "name" in changes:
        raise SecurityGroupCannotUpdateDefault
    wanted = dict(changes)
    if "tags" in wanted:
        wanted["tags"] = tuple(wanted["tags"])
    return revised(old, wanted, now)
