"""Network ACLs, and why one can't be had. Pure.

An ACL belongs to one network (the original's VPC) and is associated with some of its subnets.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.resource.revisions import revised
from alcor.values.errors import Conflict, NotFound


class NetworkAclNotFound(NotFound):
    """There is no such ACL, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Network ACL {id_[:255]} could not be found.")


class NetworkAclIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the network ACL. Its id is in use.")


class NetworkAclInUse(Conflict):
    """Without it, the subnets would be open to everybody: they must be taken out first."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Network ACL {id_} is associated with one or more subnets.")


class SubnetHasNetworkAcl(Conflict):
    """A subnet has one ACL at most."""

    def __init__(self, subnet_id: str, acl_id: str) -> None:
        super().__init__(f"Subnet {subnet_id} is associated with network ACL {acl_id} already.")


class NetworkAcl(msgspec.Struct, frozen=True, kw_only=True):
    """A network ACL as clients see it, without its rules."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    network_id: str
    subnet_ids: tuple[str, ...] = ()
    description: str = ""
    revision_number: int = 1
    created_at: str
    updated_at: str


def acl(values: Mapping[str, Any], id_: str, now: str) -> NetworkAcl:
    """The ACL that a checked body asks for."""
    return NetworkAcl(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        network_id=values["network_id"],
        subnet_ids=tuple(sorted(values["subnet_ids"])),
        description=values["description"],
        created_at=now,
        updated_at=now,
    )


def changed(old: NetworkAcl, changes: Mapping[str, Any], now: str) -> NetworkAcl:
    """The ACL after a checked PUT; the very same value when nothing is different."""
    wanted = dict(changes)
    if "subnet_ids" in wanted:
        wanted["subnet_ids"] = tuple(sorted(wanted["subnet_ids"]))
    return revised(old, wanted, now)
