"""What a port is, and what may be done to it. Pure.

Source of fields and refusals: Neutron's API reference v2, "Ports".
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from alcor.contracts.held_ports import ADDRESSES_ONLY, ROUTER_GATEWAY
from alcor.goal_state.reports import PortStatus
from alcor.intent.records import AddressPair, DhcpOption, FixedIp, NodeRecord
from alcor.managers.port.model import binding, dhcp_options, names, pairs
from alcor.managers.port.model.holding import PortInUse, is_held
from alcor.managers.port.model.seats import OnTrunk, TrunkDetails
from alcor.managers.port.model.segments import (
    IMMEDIATE,
    OnSegment,
    Reach,
    check_host,
)
from alcor.resource.revisions import touched
from alcor.values.errors import BadRequest, Conflict, InvalidInput


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


class FixedIpOfFloatingIp(BadRequest):
    """A port keeps the address that a floating IP is translated to for as long as that is so."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Bad port request: Cannot update the fixed_ips of the port {id_}, because its "
            "original fixed_ip has been associated to a floating ip.",
            type="BadRequest",
        )


class PortBoundNUMAAffinityPolicy(Conflict):
    """Where a machine runs was chosen by the policy."""

    def __init__(self, port: "Port", wanted: str | None) -> None:
        super().__init__(
            f"Unable to complete operation on port {port.id}, port is already bound to host "
            f"{port.host}, NUMA affinity policy can't be changed to {wanted}."
        )


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


trusted_owners = "network:"  # device owners of services: they filter for others
machine_owners = "compute:"  # device owners of what Nova places


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
_NEXT_HOP_BY_REPORT = {PortStatus.UP: "up", PortStatus.DOWN: "down"}


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
        "segment": "alcor:segment",
        "next_hop": "alcor:next_hop",
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
    vnic_type: str = binding.NORMAL
    profile: dict[str, Any] = {}
    port_security_enabled: bool
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    security_groups: tuple[str, ...] = ()
    extra_dhcp_opts: tuple[DhcpOption, ...] = ()
    dns_name: str = ""
    dns_domain: str = ""
    dns_assignment: tuple[names.Assignment, ...] = ()
    qos_policy_id: str | None = None
    qos_network_policy_id: str | None = None
    resource_request: dict[str, Any] | None = None  # of QoS, for the placement of machines
    propagate_uplink_status: bool = True
    numa_affinity_policy: str | None = None
    device_profile: str | None = None
    trusted: bool | None = None  # Nova is told of it in the profile
    data_plane_status: str | None = None
    ip_allocation: str = IMMEDIATE
    segment: OnSegment | msgspec.UnsetType = msgspec.UNSET  # where subnets are of segments
    next_hop: str | msgspec.UnsetType = msgspec.UNSET  # of a gateway: up or down, as BFD says
    trunk_details: TrunkDetails | msgspec.UnsetType = msgspec.UNSET  # of a parent
    trunk_subport: OnTrunk | msgspec.UnsetType = msgspec.UNSET  # of a sub-port
    description: str
    tags: tuple[str, ...]
    revision_number: int
    created_at: str
    updated_at: str


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Port).decode


def is_trusted(device_owner: str) -> bool:
    """Whether a port is of a service that filters for others: DHCP's, a router's."""
    return device_owner.startswith(trusted_owners)


def is_gateway(port: "Port") -> bool:
    """Whether a router meets an external network there."""
    return port.device_owner == ROUTER_GATEWAY


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
    "binding:vnic_type": "vnic_type",
    "binding:profile": "profile",
    "propagate_uplink_status": "propagate_uplink_status",
    "numa_affinity_policy": "numa_affinity_policy",
    "trusted": "trusted",
    "data_plane_status": "data_plane_status",
    "dns_domain": "dns_domain",
    "qos_policy_id": "qos_policy_id",
}


def changed(
    port: Port,
    changes: Mapping[str, Any],
    fixed_ips: tuple[FixedIp, ...] | None,
    *,
    node: NodeRecord | None,
    reach: Reach = (),
    at: str,
    zone: str = "",
    segment: OnSegment | msgspec.UnsetType = msgspec.UNSET,
) -> Port:
    """The port after a checked PUT; the same object when that changes nothing.

    A port that moves to another host, or to none, is DOWN until the new host reports. `node` is the
    host that the change names, None when that can't plug it in, and `reach` says where that is;
    `segment` is that of `fixed_ips`, where these are given. `PortBound` for a new MAC while bound.
    """
    values = {_FIELD_BY_NAME[n]: v for n, v in changes.items() if n in _FIELD_BY_NAME}
    if fixed_ips is not None and set(fixed_ips) != set(port.fixed_ips):
        values["fixed_ips"] = fixed_ips
    if fixed_ips is not None:
        values["segment"] = segment
    for name in ("security_groups", "tags"):
        if name in values:
            values[name] = tuple(values[name])
    mac = values.get("mac_address", port.mac_address)
    if "allowed_address_pairs" in changes:
        values["allowed_address_pairs"] = pairs.made(changes["allowed_address_pairs"], mac)
    if "extra_dhcp_opts" in changes:
        given = changes["extra_dhcp_opts"]
        values["extra_dhcp_opts"] = dhcp_options.merged(port.extra_dhcp_opts, given)
    if "dns_name" in changes or "fixed_ips" in values:
        values |= _named(port, changes, values, zone)
    if {"profile", "trusted"} & values.keys():
        profile = binding.without_trust(values.get("profile", port.profile), port.trusted)
        values["profile"] = binding.with_trust(profile, values.get("trusted", port.trusted))
    values = {name: value for name, value in values.items() if value != getattr(port, name)}
    _check_security(port, values)
    _check_bound(port, values)
    if values.get("host") and values.get("fixed_ips", port.fixed_ips):
        check_host(values.get("segment", port.segment), values["host"], reach, port.id)
    values |= _rebound(port, values, node, named="binding:host_id" in changes)
    if "device_owner" in values or "device_id" in values:
        values |= _status_by_holder(port, values)
    return touched(port, values, at) if values else port


def _named(
    port: Port, changes: Mapping[str, Any], values: Mapping[str, Any], zone: str
) -> dict[str, Any]:
    """What follows for the names of its addresses."""
    name = changes.get("dns_name", port.dns_name)
    fixed_ips = values.get("fixed_ips", port.fixed_ips)
    return {"dns_name": name, "dns_assignment": names.assignments(name, fixed_ips, zone)}


def _rebound(
    port: Port, values: Mapping[str, Any], node: NodeRecord | None, *, named: bool
) -> dict[str, Any]:
    """What follows for the binding; a host that the change has `named` again may plug it in now, or
    plug it in otherwise."""
    host, vnic_type = values.get("host", port.host), values.get("vnic_type", port.vnic_type)
    plug = binding.plug(host, node, vnic_type)
    if "host" in values:
        return {"status": Status.DOWN} | plug._asdict()
    again = named and plug.vif_type == binding.OVS
    return plug._asdict() if again and plug != (port.vif_type, port.vif_details) else {}


def _check_bound(port: Port, values: Mapping[str, Any]) -> None:
    """What can't be changed while a host has the port plugged."""
    host = values.get("host", port.host)
    if "mac_address" in values and port.vif_type == binding.OVS and host:
        raise PortBound(
            f"Unable to complete operation on port {port.id}, port is already bound, port type: "
            f"{port.vif_type}, old_mac {port.mac_address}, new_mac {values['mac_address']}."
        )
    if "vnic_type" in values and port.vif_type != binding.UNBOUND:
        raise PortInUse(port.id, port.network_id, port.device_id)
    if "numa_affinity_policy" in values and port.host:
        raise PortBoundNUMAAffinityPolicy(port, values["numa_affinity_policy"])


def status_of(owner: str, device_id: str) -> str:
    """Of a new port: no host reports a router's interface, every host has it at once."""
    if not is_held(owner, device_id):
        return Status.DOWN
    return Status.NOT_APPLICABLE if owner in ADDRESSES_ONLY else Status.ACTIVE


def _status_by_holder(port: Port, values: Mapping[str, Any]) -> dict[str, str]:
    """What changes of the status when a port gets a holder, or loses it."""
    owner = values.get("device_owner", port.device_owner)
    device_id = values.get("device_id", port.device_id)
    if is_held(port.device_owner, port.device_id) == is_held(owner, device_id):
        return {}
    return {"status": status_of(owner, device_id)}


def _check_security(port: Port, values: Mapping[str, Any]) -> None:
    """No groups and no address pairs on a port without port security."""
    secure = values.get("port_security_enabled", port.port_security_enabled)
    if not secure and values.get("allowed_address_pairs", port.allowed_address_pairs):
        raise pairs.AddressPairAndPortSecurityRequired
    if not secure and values.get("security_groups", port.security_groups):
        if "security_groups" in values:
            raise PortSecurityAndIPRequiredForSecurityGroups
        raise PortSecurityPortHasSecurityGroup


def reported(
    port: Port, host: str, status: PortStatus, at: str, node: NodeRecord | None = None
) -> Port:
    """The port after its host said how it is; the same object when that is known, or not its host.

    A host that has a port up proves that the binding works; `node` is what is known of that host.
    """
    new_status = STATUS_BY_REPORT[status]
    if host != port.host or new_status == port.status:
        return port
    works = port.vif_type == binding.FAILED and port.vnic_type == binding.NORMAL
    proved = binding.plugged(node)._asdict() if works and status is PortStatus.UP else {}
    return touched(port, {"status": new_status} | proved, at)


def heard_of(port: Port, status: PortStatus, at: str) -> Port:
    """A router's gateway after the host by which it leaves said how its next hop is; the same
    object when that is known. It is ACTIVE unless its next hop is down."""
    next_hop = _NEXT_HOP_BY_REPORT.get(status, msgspec.UNSET)
    if next_hop == port.next_hop:
        return port
    shown = Status.DOWN if status is PortStatus.DOWN else Status.ACTIVE
    return touched(port, {"next_hop": next_hop, "status": shown}, at)


def doubled(values: Sequence[str]) -> str | None:
    """A value that is there twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
