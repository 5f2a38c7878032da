"""Address groups: prefixes under a name. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.resource.revisions import revised
from alcor.values.addresses import prefix
from alcor.values.errors import BadRequest, Conflict, InvalidInput, NotFound


class AddressGroupNotFound(NotFound):
    """There is no such address group, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Address group {id_[:255]} could not be found.")


class AddressGroupInUse(Conflict):
    """Rules name it."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Address group {id_} is in use on one or more security group rules.")


class AddressGroupIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the address group. Its id is in use.")


class AddressesNotFound(NotFound):
    """What shall be removed is not in the group."""

    def __init__(self, id_: str, addresses: Sequence[str]) -> None:
        super().__init__(f"Addresses {list(addresses)} not found in the address group {id_}.")


class AddressesAlreadyExist(BadRequest):
    """What shall be added is in the group."""

    def __init__(self, id_: str, addresses: Sequence[str]) -> None:
        super().__init__(f"Addresses {list(addresses)} already exist in the address group {id_}.")


class AddressLimitExceeded(Conflict):
    """The group would hold too many addresses."""

    def __init__(self, addresses_max: int) -> None:
        super().__init__(f"An address group may hold at most {addresses_max} addresses.")


class AddressGroup(msgspec.Struct, frozen=True, kw_only=True):
    """An address group as clients see it; its prefixes in order of coming, without host bits."""

    id: str
    name: str
    project_id: str
    tenant_id: str
    description: str = ""
    addresses: tuple[str, ...] = ()
    shared: bool = False
    revision_number: int = 1
    created_at: str
    updated_at: str


def normalized(text: str) -> str:
    """A prefix without host bits; an address is the prefix of itself alone."""
    try:
        width = 128 if ":" in text else 32
        return str(prefix(text if "/" in text else f"{text}/{width}"))
    except ValueError:
        message = f"Invalid input for operation: '{text[:128]}' is not a valid IP subnet."
        raise InvalidInput(message) from None


def address_group(
    values: Mapping[str, Any], id_: str, now: str, addresses_max: int
) -> AddressGroup:
    """The address group that a checked body asks for."""
    return AddressGroup(
        id=id_,
        name=values["name"],
        project_id=values["project_id"],
        tenant_id=values["project_id"],
        description=values["description"],
        addresses=_limited(_unique(values["addresses"]), addresses_max),
        created_at=now,
        updated_at=now,
    )


def changed(old: AddressGroup, changes: Mapping[str, Any], now: str) -> AddressGroup:
    """The address group with these values; the very same when nothing is different."""
    return revised(old, changes, now)


def with_addresses(
    old: AddressGroup, texts: Sequence[str], now: str, addresses_max: int
) -> AddressGroup:
    """The group with these prefixes too; refused when one is there already."""
    new = _unique(texts)
    if held := [each for each in new if each in old.addresses]:
        raise AddressesAlreadyExist(old.id, held)
    addresses = _limited((*old.addresses, *new), addresses_max)
    return changed(old, {"addresses": addresses}, now)


def without_addresses(old: AddressGroup, texts: Sequence[str], now: str) -> AddressGroup:
    """The group without these prefixes; refused when one is not there."""
    gone = _unique(texts)
    if missing := [each for each in gone if each not in old.addresses]:
        raise AddressesNotFound(old.id, missing)
    left = tuple(each for each in old.addresses if each not in gone)
    return changed(old, {"addresses": left}, now)


def _unique(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(normalized, texts)))


def _limited(addresses: tuple[str, ...], addresses_max: int) -> tuple[str, ...]:
    if len(addresses) > addresses_max:
        raise AddressLimitExceeded(addresses_max)
    return addresses
