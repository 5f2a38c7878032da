"""A log: decisions of security groups, or of a network ACL, that hosts write down. Pure.

Of security groups it is about one port (`target_id`), about the ports of one group (`resource_id`),
about one port by one of its groups, or about all ports that have a group of its project.
Source: Neutron API reference v2, "Logging resource"; neutron.services.logapi.common.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.values.errors import InvalidInput, NotFound

SECURITY_GROUP = "security_group"
NETWORK_ACL = "network_acl"
TYPES = (SECURITY_GROUP, NETWORK_ACL)  # what can be logged
EVENTS = ("ACCEPT", "DROP", "ALL")


class InvalidLogResourceType(InvalidInput):
    """Nothing of this type is logged."""

    def __init__(self, type_: str) -> None:
        super().__init__(f"Invalid log resource_type: {type_}.")


class ResourceNotFound(NotFound):
    """There is no such security group or network ACL, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Resource {id_} could not be found.")


class TargetResourceNotFound(NotFound):
    """There is no such port, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Target resource {id_} could not be found.")


class InvalidResourceConstraint(InvalidInput):
    """The port does not have the group."""

    def __init__(self, group_id: str, port_id: str) -> None:
        super().__init__(
            "Invalid resource constraint between resource "
            f"({SECURITY_GROUP} {group_id}) and target resource (port {port_id})."
        )


class InvalidNetworkAclLog(InvalidInput):
    """It is about one network ACL, and no port."""

    def __init__(self) -> None:
        super().__init__(f"A log of a {NETWORK_ACL} has a resource_id and no target_id.")


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A log."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    resource_type: str
    resource_id: str | None
    target_id: str | None
    event: str
    enabled: bool
    revision_number: int = 0
    created_at: str
    updated_at: str


def log(values: Mapping[str, Any], id_: str, now: str) -> Log:
    """The log that a checked body asks for; `InvalidLogResourceType`, `InvalidNetworkAclLog`."""
    if values["resource_type"] not in TYPES:
        raise InvalidLogResourceType(values["resource_type"])
    is_of_acl = values["resource_type"] == NETWORK_ACL
    if is_of_acl and (not values["resource_id"] or values["target_id"]):
        raise InvalidNetworkAclLog
    return Log(
        id=id_,
        name=values["name"],
        description=values["description"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        resource_type=values["resource_type"],
        resource_id=values["resource_id"],
        target_id=values["target_id"],
        event=values["event"],
        enabled=values["enabled"],
        created_at=now,
        updated_at=now,
    )
