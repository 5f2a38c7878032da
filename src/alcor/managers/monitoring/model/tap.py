"""Tap services and tap flows: copies of what passes ports, handed to another port. Pure.

Source: neutron_lib.api.definitions.taas; neutron_lib.exceptions.taas; neutron_taas.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.values.errors import Kind, NotFound, Refusal

IN, OUT, BOTH = "IN", "OUT", "BOTH"  # to the machine, from it, and both
DIRECTIONS = (IN, OUT, BOTH)
ACTIVE, DOWN = "ACTIVE", "DOWN"
numbers = (1 << 24) - 1  # from 1: those that a tunnel's header has room for


class InvalidSourcePort(NotFound):
    """There is no such port to copy, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Source Port {id_} does not exist")


class PortDoesNotBelongToTenant(Refusal):
    """A tap service is of the project of its port."""

    kind = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("The specified port does not belong to the tenant")


class TapServiceNotBelongToTenant(Refusal):
    """A tap flow is of the project of its tap service."""

    kind = Kind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("Specified Tap Service does not belong to the tenant")


class TapService(msgspec.Struct, frozen=True, kw_only=True):
    """A port that gets copies; only hosts know its number, which no other service has."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    port_id: str
    number: int

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports without which it does nothing."""
        return (self.port_id,)


class TapFlow(msgspec.Struct, frozen=True, kw_only=True):
    """Copies of what passes a port go to the port of a tap service."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    tap_service_id: str
    source_port: str
    direction: str
    tap_port: str  # of the service, whose port never changes
    number: int  # of the service

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports without which it does nothing."""
        return (self.source_port, self.tap_port)


def tap_service(values: Mapping[str, Any], id_: str, number: int) -> TapService:
    """The service that a checked body asks for."""
    return TapService(
        id=id_,
        name=values["name"],
        description=values["description"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        port_id=values["port_id"],
        number=number,
    )


def tap_flow(values: Mapping[str, Any], id_: str, service: TapService) -> TapFlow:
    """The flow that a checked body asks for; `TapServiceNotBelongToTenant`."""
    if service.project_id != values["project_id"]:
        raise TapServiceNotBelongToTenant
    return TapFlow(
        id=id_,
        name=values["name"],
        description=values["description"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        tap_service_id=service.id,
        source_port=values["source_port"],
        direction=values["direction"],
        tap_port=service.port_id,
        number=service.number,
    )
