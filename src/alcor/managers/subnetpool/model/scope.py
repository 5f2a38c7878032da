"""Address scopes as clients see them: in one, no two pools have an address in common. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.values.errors import BadRequest, Conflict, NotFound


class AddressScopeNotFound(NotFound):
    """There is no such scope, or it is not theirs to use."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Address scope {id_[:255]} could not be found")


class AddressScopeInUse(Conflict):
    """Pools are in the scope."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Unable to complete operation on address scope {id_}. There are one or more subnet "
            "pools in use on the address scope"
        )


class AddressScopeUpdateError(BadRequest):
    """Others may count on the scope."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Unable to update address scope {id_} : Shared address scope can't be unshared."
        )


class AddressScopeIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the address scope. Its id is in use.")


class AddressScope(msgspec.Struct, frozen=True, kw_only=True):
    """A scope (Neutron API reference v2, "Address scopes")."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    ip_version: int
    shared: bool


def scope(values: Mapping[str, Any], id_: str) -> AddressScope:
    """The scope that a checked body asks for."""
    return AddressScope(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        ip_version=values["ip_version"],
        shared=values["shared"],
    )


def changed(old: AddressScope, changes: Mapping[str, Any]) -> AddressScope:
    """The scope after a checked PUT; the very same value when nothing is different."""
    different = {name: value for name, value in changes.items() if getattr(old, name) != value}
    if different.get("shared") is False:
        raise AddressScopeUpdateError(old.id)
    return msgspec.structs.replace(old, **different) if different else old
