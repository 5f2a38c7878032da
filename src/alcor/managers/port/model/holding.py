"""Ports that routers and floating IPs hold: what clients can't do with them. Pure.

Source: neutron.db.l3_db (prevent_l3_port_deletion, _check_router_port).
"""

from collections.abc import Sequence
from typing import Protocol

from alcor.contracts.held_ports import HELD_OWNERS
from alcor.intent.records import FixedIp
from alcor.values.errors import Conflict


class ServicePortInUse(Conflict):
    """A client wants to take away what a router or a floating IP holds."""

    def __init__(self, id_: str, owner: str, verb: str = "deleted") -> None:
        super().__init__(
            f"Port {id_} cannot be {verb} directly via the port API: has device owner {owner}."
        )


class PortInUse(Conflict):
    """Somebody else uses the port."""

    def __init__(self, id_: str, network_id: str, device_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on port {id_} for network {network_id}. "
            f"Port already has an attached device {device_id}."
        )


class DeviceIDNotOwnedByTenant(Conflict):
    """A client can't make a port part of a router: the router does that."""

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"The following device_id {device_id} is not owned by your tenant or matches another "
            "tenants router."
        )


class Holdable(Protocol):
    """As much of a port as is asked here."""

    @property
    def id(self) -> str: ...
    @property
    def network_id(self) -> str: ...
    @property
    def device_owner(self) -> str: ...
    @property
    def device_id(self) -> str: ...
    @property
    def fixed_ips(self) -> Sequence[FixedIp]: ...


def is_held(device_owner: str, device_id: str) -> bool:
    """Whether a router or a floating IP holds a port with these."""
    return device_owner in HELD_OWNERS and bool(device_id)


def check_holder(port: Holdable, holder: str) -> None:
    """A holder can touch what is nobody's or its own; `PortInUse` for anything else."""
    if holder and port.device_id not in ("", holder):
        raise PortInUse(port.id, port.network_id, port.device_id)


def check_removal(port: Holdable, holder: str) -> None:
    """`ServicePortInUse` when a client wants to delete a held port."""
    if not holder and is_held(port.device_owner, port.device_id):
        raise ServicePortInUse(port.id, port.device_owner)


def check_change(old: Holdable, new: Holdable, holder: str) -> None:
    """What a client's change may not do: make a port held, or make it something else.

    Its addresses may change as long as they stay on the same subnets.
    """
    if holder:
        return
    if not is_held(old.device_owner, old.device_id):
        if is_held(new.device_owner, new.device_id):
            raise DeviceIDNotOwnedByTenant(new.device_id)
        return
    subnets = [{ip.subnet_id for ip in each.fixed_ips} for each in (old, new)]
    if (new.device_owner, new.device_id) != (old.device_owner, old.device_id) or (
        subnets[0] != subnets[1]
    ):
        raise ServicePortInUse(old.id, old.device_owner, "changed")
