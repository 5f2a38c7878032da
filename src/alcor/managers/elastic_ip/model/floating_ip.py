"""A floating IP as clients see it, what stands behind it, and to whom it may be given. Pure.

Source: neutron.db.l3_db (_internal_fip_assoc_data, _update_fip_assoc).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from alcor.contracts.held_ports import HELD_OWNERS
from alcor.contracts.routing import Path
from alcor.intent.records import FixedIp, PortRecord
from alcor.managers.elastic_ip.model.refusals import BadFloatingIpRequest
from alcor.resource.revisions import touched
from alcor.values.addresses import address


class FloatingIp(msgspec.Struct, frozen=True, kw_only=True):
    """A floating IP (Neutron API reference, "Floating IPs"), without what is others'."""

    id: str
    floating_ip_address: str
    floating_network_id: str
    router_id: str | None = None
    port_id: str | None = None
    fixed_ip_address: str | None = None
    tenant_id: str
    project_id: str
    status: str = "DOWN"
    qos_policy_id: str | None = None
    dns_name: str = ""
    dns_domain: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str


class Backing(NamedTuple):
    """What clients don't see: the port that holds the address, and the hops of its router."""

    port_id: str
    mac_address: str
    interface_port_id: str = ""
    gateway_port_id: str = ""


class Held(NamedTuple):
    """A floating IP with what stands behind it."""

    ip: FloatingIp
    backing: Backing


class Association(NamedTuple):
    """To whom a floating IP is given, and by which router."""

    port_id: str
    fixed_ip_address: str
    path: Path


def floating_ip(values: Mapping[str, Any], id_: str, port: PortRecord, now: str) -> Held:
    """The floating IP of a checked body that has its port, given to nobody yet."""
    ip = FloatingIp(
        id=id_,
        floating_ip_address=port.fixed_ips[0].ip_address,
        floating_network_id=port.network_id,
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        description=values["description"],
        dns_name=values["dns_name"],
        dns_domain=values["dns_domain"],
        qos_policy_id=values["qos_policy_id"],
        revision_number=1,
        created_at=now,
        updated_at=now,
    )
    return Held(ip, Backing(port.id, port.mac_address))


def check_name(values: Mapping[str, Any]) -> None:
    """That a checked body gives a name whole, or none; `BadFloatingIpRequest`."""
    name, domain = values["dns_name"], values["dns_domain"]
    if domain and not name:
        raise BadFloatingIpRequest("dns_domain cannot be specified without a dns_name")
    if name and not domain:
        raise BadFloatingIpRequest("dns_name cannot be specified without a dns_domain")
    if name.endswith(".") and not name.endswith("." + domain.rstrip(".") + "."):
        raise BadFloatingIpRequest(f"dns_name {name} is not of the domain {domain}")


def given(held: Held, association: Association | None) -> Held:
    """The floating IP given to somebody, or to nobody; its revision stays."""
    if association is None:
        values: dict[str, Any] = dict.fromkeys(("router_id", "port_id", "fixed_ip_address"))
        ip = msgspec.structs.replace(held.ip, **values, status="DOWN")
        return Held(ip, held.backing._replace(interface_port_id="", gateway_port_id=""))
    ip = msgspec.structs.replace(
        held.ip,
        router_id=association.path.router_id,
        port_id=association.port_id,
        fixed_ip_address=association.fixed_ip_address,
        status="ACTIVE",
    )
    return Held(ip, _by(held.backing, association.path))


def forwarding(held: Held, path: Path | None) -> Held:
    """The floating IP as its port forwardings use it: by a router, or (the last is gone) none."""
    if path is None:
        return given(held, None)
    ip = msgspec.structs.replace(held.ip, router_id=path.router_id, status="ACTIVE")
    return Held(ip, _by(held.backing, path))


def _by(backing: Backing, path: Path) -> Backing:
    return backing._replace(
        interface_port_id=path.interface_port_id, gateway_port_id=path.gateway_port_id
    )


def plain_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a checked PUT's changes that are nobody else's business."""
    found = {name: changes[name] for name in ("description", "qos_policy_id") if name in changes}
    if "tags" in changes:
        found["tags"] = tuple(changes["tags"])
    return found


def changed(old: Held, new: Held, values: Mapping[str, Any], now: str) -> Held:
    """From old to new with these values, one revision later; the old one when nothing changes."""
    ip = msgspec.structs.replace(new.ip, **values)
    if (ip, new.backing) == old:
        return old
    return Held(touched(ip, {}, now), new.backing)


def fixed_ip_of(port: PortRecord, wanted: str | None) -> FixedIp:
    """The port's address that the floating IP is to stand for; `BadFloatingIpRequest`."""
    if port.device_owner in HELD_OWNERS:
        raise BadFloatingIpRequest(f"Port {port.id} is unable to be assigned a floating IP")
    if wanted is not None:
        if address(wanted).version == 6:
            raise BadFloatingIpRequest(
                f"Cannot process floating IP association with {wanted}, since that is not an IPv4 "
                "address"
            )
        for ip in port.fixed_ips:
            if ip.ip_address == wanted:
                return ip
        raise BadFloatingIpRequest(f"Port {port.id} does not have fixed ip {wanted}")
    ipv4 = [ip for ip in port.fixed_ips if address(ip.ip_address).version == 4]
    if not ipv4:
        raise BadFloatingIpRequest(
            f"Cannot add floating IP to port {port.id} that has no fixed IPv4 addresses"
        )
    if len(ipv4) > 1:
        raise BadFloatingIpRequest(
            f"Port {port.id} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 "
            "address when assigning a floating IP"
        )
    return ipv4[0]
