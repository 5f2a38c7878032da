"""Local IPs, the ports that have them, and why one can't be had. Pure.

A local IP is an address of a network that several ports have, each for the machines of its own
host. Its own port keeps anybody else from getting the address.
Source: Neutron API reference v2, "Local IPs"; neutron.db.local_ip_db,
neutron_lib.exceptions.local_ip.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec

from alcor.intent.records import PortRecord
from alcor.values.errors import BadRequest, Conflict, InvalidInput, NotFound

TRANSLATE, PASSTHROUGH = "translate", "passthrough"


class LocalIPInUse(Conflict):
    """Ports have it."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Local IP {id_} is still associated with one or more ports.")


class LocalIPNoIP(InvalidInput):
    """The port has no address that could be meant."""

    def __init__(self, port_id: str) -> None:
        super().__init__(f"Specified Port {port_id} has no fixed IPs configured.")


class LocalIPRequestedIPNotFound(InvalidInput):
    """The port has not the address that is meant."""

    def __init__(self, port_id: str, address: str) -> None:
        super().__init__(f"Specified Port {port_id} does not have requested IP address: {address}.")


class LocalIPNoRequestedIP(InvalidInput):
    """The port has several addresses."""

    def __init__(self, port_id: str) -> None:
        super().__init__(
            f"Specified Port {port_id} has several IPs, should specify exact IP address to use for "
            "Local IP."
        )


class LocalIPPortOrNetworkRequired(InvalidInput):
    """Nothing says which address it may have."""

    def __init__(self) -> None:
        super().__init__("Either Port ID or Network ID must be specified for Local IP create.")


class LocalIPAssociationNotFound(NotFound):
    """The port has not the local IP."""

    def __init__(self, local_ip_id: str, port_id: str) -> None:
        super().__init__(
            f"Local IP {local_ip_id[:255]} association with port {port_id[:255]} could not be "
            "found."
        )


class LocalIPAssociationExists(Conflict):
    """The port has the local IP already."""

    def __init__(self, local_ip_id: str, port_id: str) -> None:
        super().__init__(f"Local IP {local_ip_id} is associated with port {port_id} already.")


class LocalIp(msgspec.Struct, frozen=True, kw_only=True):
    """A local IP as clients see it."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    local_port_id: str
    network_id: str
    local_ip_address: str
    ip_mode: str
    revision_number: int = 1
    created_at: str
    updated_at: str


class Association(msgspec.Struct, frozen=True, kw_only=True):
    """A port that has a local IP, by one of its own addresses."""

    id: str
    local_ip_id: str
    fixed_port_id: str
    fixed_ip: str
    local_ip_address: str
    ip_mode: str


def local_ip(values: Mapping[str, Any], id_: str, port: PortRecord, now: str) -> LocalIp:
    """The local IP that a checked body asks for, at an address of this port."""
    return LocalIp(
        id=id_,
        name=values["name"],
        description=values["description"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        local_port_id=port.id,
        network_id=port.network_id,
        local_ip_address=address_of(port, values.get("local_ip_address")),
        ip_mode=values["ip_mode"],
        created_at=now,
        updated_at=now,
    )


def changed(old: LocalIp, changes: Mapping[str, Any], now: str) -> LocalIp:
    """The local IP after a checked PUT; the very same value when nothing is different."""
    different = {name: value for name, value in changes.items() if getattr(old, name) != value}
    if not different:
        return old
    return msgspec.structs.replace(
        old, **different, revision_number=old.revision_number + 1, updated_at=now
    )


def association(of: LocalIp, port: PortRecord, wanted: str | None) -> Association:
    """That a port has a local IP, by the address `wanted` of it, or by its only one."""
    if port.network_id != of.network_id:
        raise BadRequest(
            f"Bad local_ip_port_association request: Port {port.id} is not on network "
            f"{of.network_id} of the Local IP."
        )
    return Association(
        id=str(uuid5(UUID(of.id), port.id)),
        local_ip_id=of.id,
        fixed_port_id=port.id,
        fixed_ip=address_of(port, wanted),
        local_ip_address=of.local_ip_address,
        ip_mode=of.ip_mode,
    )


def address_of(port: PortRecord, wanted: str | None) -> str:
    """The IPv4 address of a port that is wanted, or its only one: hosts know no IPv6 ones."""
    held: Sequence[str] = [f.ip_address for f in port.fixed_ips if ":" not in f.ip_address]
    if wanted is not None:
        if wanted not in held:
            raise LocalIPRequestedIPNotFound(port.id, wanted)
        return wanted
    if not held:
        raise LocalIPNoIP(port.id)
    if len(held) > 1:
        raise LocalIPNoRequestedIP(port.id)
    return held[0]
