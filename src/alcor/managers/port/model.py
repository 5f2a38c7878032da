"""What a port is, and what may be done to it. Pure.

Source of fields and refusals: Neutron's API reference v2, "Ports".
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from alcor.contracts.held_ports import FLOATING_IP
from alcor.goal_state.reports import PortStatus
from alcor.intent.records import FixedIp
from alcor.managers.port.holding import is_held
from alcor.values.errors import Conflict, InvalidInput, NotFound


class PortNotFound(NotFound):
    """There is no such port, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Port {id_[:255]} could not be found.")


class PortIdInUse(Conflict):
    """A port with this id exists already."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Unable to create the port. The id {id_} is in use.")


class MacAddressInUse(Conflict):
    """The MAC address is taken in its network."""

    def __init__(self, network_id: str, mac_address: str) -> None:
        super().__init__(
            f"Unable to complete operation for network {network_id}. "
            f"The mac address {mac_address} is in use."
        )


class PortBound(Conflict):
    """It can't be changed while the port is bound to a host."""


class PortSecurityAndIPRequiredForSecurityGroups(InvalidInput):
    """A port whose packets nobody looks at can't be in groups."""

    def __init__(self) -> None:
        super().__init__(
            "Port security must be enabled and port must have an IP address in order to use "
            "security groups."
        )


class PortSecurityPortHasSecurityGroup(Conflict):
    """The groups of a port must go before nobody looks at its packets any more."""

    def __init__(self) -> None:
        super().__init__(
            "Port has security group associated. Cannot disable port security or ip address "
            "until security group is removed."
        )


class Status(StrEnum):
    """Neutron's words for how a port is."""

    ACTIVE = "ACTIVE"
    DOWN = "DOWN"
    ERROR = "ERROR"
    NOT_APPLICABLE = "N/A"  # an address that is no interface: a floating IP's


STATUS_BY_REPORT = {
    PortStatus.UP: Status.ACTIVE,
    PortStatus.DOWN: Status.DOWN,
    PortStatus.FAILED: Status.ERROR,
}

UNBOUND, OVS, FAILED = "unbound", "ovs", "binding_failed"  # binding:vif_type

_VIF_DETAILS: dict[str, dict[str, Any]] = {
    UNBOUND: {},
    FAILED: {},
    OVS: {
        "connectivity": "l2",
        "port_filter": True,
        "ovs_hybrid_plug": False,
        "datapath_type": "system",
        "bridge_name": "br-int",
    },
}


class Port(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "host": "binding:host_id",
        "vif_type": "binding:vif_type",
        "vif_details": "binding:vif_details",
        "vnic_type": "binding:vnic_type",
        "profile": "binding:profile",
    },
):
    """A port as clients see it; its JSON is its document."""

    id: str
    name: str
    network_id: str
    tenant_id: str
    project_id: str
    admin_state_up: bool
    status: str
    mac_address: str
    fixed_ips: tuple[FixedIp, ...]
    device_id: str
    device_owner: str
    host: str
    vif_type: str
    vif_details: dict[str, Any]
    vnic_type: str = "normal"
    profile: dict[str, Any] = {}
    port_security_enabled: bool
    allowed_address_pairs: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    extra_dhcp_opts: tuple[str, ...] = ()
    dns_name: str = ""
    dns_domain: str = ""
    dns_assignment: tuple[str, ...] = ()
    qos_policy_id: str | None = None
    ip_allocation: str = "immediate"
    description: str
    tags: tuple[str, ...]
    revision_number: int
    created_at: str
    updated_at: str


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Port).decode


def new(
    item: Mapping[str, Any],
    *,
    id: str,  # noqa: A002 - the field's name
    project_id: str,
    mac_address: str,
    fixed_ips: tuple[FixedIp, ...],
    security_groups: tuple[str, ...] = (),
    host_known: bool,
    at: str,
) -> Port:
    """The port that a checked POST asks for."""
    host = item["binding:host_id"]
    vif_type = _vif_type(host, host_known)
    return Port(
        id=id,
        name=item["name"],
        network_id=item["network_id"],
        tenant_id=project_id,
        project_id=project_id,
        admin_state_up=item["admin_state_up"],
        status=_status(item["device_owner"], item["device_id"]),
        mac_address=mac_address,
        fixed_ips=fixed_ips,
        device_id=item["device_id"],
        device_owner=item["device_owner"],
        host=host,
        vif_type=vif_type,
        vif_details=_VIF_DETAILS[vif_type],
        port_security_enabled=item["port_security_enabled"],
        security_groups=security_groups,
        description=item["description"],
        tags=tuple(item["tags"]),
        revision_number=1,
        created_at=at,
        updated_at=at,
    )


_FIELD_BY_NAME = {
    "name": "name",
    "admin_state_up": "admin_state_up",
    "mac_address": "mac_address",
    "device_id": "device_id",
    "device_owner": "device_owner",
    "port_security_enabled": "port_security_enabled",
    "security_groups": "security_groups",
    "description": "description",
    "tags": "tags",
    "binding:host_id": "host",
}


def changed(
    port: Port,
    changes: Mapping[str, Any],
    fixed_ips: tuple[FixedIp, ...] | None,
    *,
    host_known: bool,
    at: str,
) -> Port:
    """The port after a checked PUT; the same object when that changes nothing.

    A port that moves to another host, or to none, is DOWN until the new host reports. `PortBound`
    for a new MAC while bound.
    """
    values = {_FIELD_BY_NAME[n]: v for n, v in changes.items() if n in _FIELD_BY_NAME}
    if fixed_ips is not None and set(fixed_ips) != set(port.fixed_ips):
        values["fixed_ips"] = fixed_ips
    for name in ("security_groups", "tags"):
        if name in values:
            values[name] = tuple(values[name])
    values = {name: value for name, value in values.items() if value != getattr(port, name)}
    _check_security(port, values)
    host = values.get("host", port.host)
    if "mac_address" in values and port.vif_type == OVS and host:
        raise PortBound(
            f"Unable to complete operation on port {port.id}, port is already bound, port type: "
            f"{port.vif_type}, old_mac {port.mac_address}, new_mac {values['mac_address']}."
        )
    if "host" in values:
        values |= {"status": Status.DOWN} | _binding(_vif_type(host, host_known))
    elif port.vif_type == FAILED and "binding:host_id" in changes and host_known:
        values |= _binding(OVS)
    if "device_owner" in values or "device_id" in values:
        values |= _status_by_holder(port, values)
    return touched(port, values, at) if values else port


def _status(owner: str, device_id: str) -> str:
    """Of a new port: no host reports a router's interface, every host has it at once."""
    if not is_held(owner, device_id):
        return Status.DOWN
    return Status.NOT_APPLICABLE if owner == FLOATING_IP else Status.ACTIVE


def _status_by_holder(port: Port, values: Mapping[str, Any]) -> dict[str, str]:
    """What changes of the status when a port gets a holder, or loses it."""
    owner = values.get("device_owner", port.device_owner)
    device_id = values.get("device_id", port.device_id)
    if is_held(port.device_owner, port.device_id) == is_held(owner, device_id):
        return {}
    return {"status": _status(owner, device_id)}


def _check_security(port: Port, values: Mapping[str, Any]) -> None:
    """No groups on a port without port security."""
    secure = values.get("port_security_enabled", port.port_security_enabled)
    if not secure and values.get("security_groups", port.security_groups):
        if "security_groups" in values:
            raise PortSecurityAndIPRequiredForSecurityGroups
        raise PortSecurityPortHasSecurityGroup


def reported(port: Port, host: str, status: PortStatus, at: str) -> Port:
    """The port after its host said how it is; the same object when that is known, or not its host.

    A host that has a port up proves that the binding works.
    """
    new_status = STATUS_BY_REPORT[status]
    if host != port.host or new_status == port.status:
        return port
    binding = _binding(OVS) if port.vif_type == FAILED and status is PortStatus.UP else {}
    return touched(port, {"status": new_status} | binding, at)


def touched(port: Port, values: Mapping[str, Any], at: str) -> Port:
    """The port with these values, one revision later."""
    return msgspec.structs.replace(
        port, **values, revision_number=port.revision_number + 1, updated_at=at
    )


def doubled(values: Sequence[str]) -> str | None:
    """A value that is there twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def _vif_type(host: str, host_known: bool) -> str:
    if not host:
        return UNBOUND
    return OVS if host_known else FAILED


def _binding(vif_type: str) -> dict[str, Any]:
    return {"vif_type": vif_type, "vif_details": _VIF_DETAILS[vif_type]}
