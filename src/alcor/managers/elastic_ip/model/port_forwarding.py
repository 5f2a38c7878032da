"""A port forwarding: some ports of a floating IP go to ports of an internal address. Pure.

Source: neutron.services.portforwarding; neutron_lib's port_forwarding definitions.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from alcor.contracts.routing import Path
from alcor.managers.elastic_ip.model.refusals import BadPortForwardingRequest

NUMBER_BY_PROTOCOL = {
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "sctp": 132,
    "icmp": 1,
    "ipv6-icmp": 58,
}
_WITHOUT_PORTS = ("icmp", "ipv6-icmp")
Ports = tuple[int, int]  # both ends included


class PortForwarding(msgspec.Struct, frozen=True, kw_only=True):
    """A port forwarding as clients see it."""

    id: str
    protocol: str
    internal_port_id: str
    internal_ip_address: str
    internal_port: int | None
    external_port: int | None
    internal_port_range: str | None
    external_port_range: str | None
    description: str = ""


class Forwarding(NamedTuple):
    """A port forwarding with whose it is (its floating IP's project's), and by which router."""

    shown: PortForwarding
    floatingip_id: str
    project_id: str
    path: Path


def port_forwarding(values: Mapping[str, Any], id_: str) -> PortForwarding:
    """The port forwarding that a checked body asks for; `BadPortForwardingRequest`."""
    external, internal = _ports(values)
    return PortForwarding(
        id=id_,
        protocol=values["protocol"],
        internal_port_id=values["internal_port_id"],
        internal_ip_address=values["internal_ip_address"],
        internal_port=_single(internal),
        external_port=_single(external),
        internal_port_range=_range(internal),
        external_port_range=_range(external),
        description=values["description"],
    )


def merged(old: PortForwarding, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What a PUT asks for as a whole; a new port takes the place of the old range, and back."""
    values = {**msgspec.structs.asdict(old), **changes}
    for side in ("internal", "external"):
        port, ports = f"{side}_port", f"{side}_port_range"
        if port in changes and ports not in changes:
            values[ports] = None
        elif (ports in changes and port not in changes) or port not in changes:
            values[port] = None
    return values


def ports_of(text: str | None) -> Ports | None:
    """The ports of a range as it is shown."""
    if text is None:
        return None
    low, _, high = text.partition(":")
    return int(low), int(high or low)


def check_beside(new: PortForwarding, others: Iterable[PortForwarding]) -> None:
    """That the floating IP's other forwardings leave these ports; `BadPortForwardingRequest`."""
    for other in others:
        if other.id == new.id or other.protocol != new.protocol:
            continue
        if _share(new.external_port_range, other.external_port_range):
            raise _doubled({"external_port": new.external_port_range, "protocol": new.protocol})
        same_target = (other.internal_port_id, other.internal_ip_address) == (
            new.internal_port_id,
            new.internal_ip_address,
        )
        if same_target and _share(new.internal_port_range, other.internal_port_range):
            raise _doubled(
                {
                    "internal_port_id": new.internal_port_id,
                    "internal_ip_address": new.internal_ip_address,
                    "internal_port": new.internal_port_range,
                    "protocol": new.protocol,
                }
            )


def _doubled(values: Mapping[str, object]) -> BadPortForwardingRequest:
    shown = ", ".join(f"{name}={value}" for name, value in values.items())
    return BadPortForwardingRequest(
        "A duplicate port forwarding entry with same attributes already exists, conflicting "
        f"values are {shown}"
    )


def _share(one: str | None, other: str | None) -> bool:
    first, second = ports_of(one), ports_of(other)
    if first is None or second is None:
        return True  # of a protocol without ports: all of it
    return first[0] <= second[1] and second[0] <= first[1]


def _ports(values: Mapping[str, Any]) -> tuple[Ports | None, Ports | None]:
    """The external and the internal ports of a checked body."""
    external, internal = _side(values, "external"), _side(values, "internal")
    if values["protocol"] in _WITHOUT_PORTS:
        if external or internal:
            raise BadPortForwardingRequest(f"{values['protocol']} has no ports")
        return None, None
    if external is None or internal is None:
        raise BadPortForwardingRequest("external and internal ports are required")
    if internal[0] != internal[1] and internal[1] - internal[0] != external[1] - external[0]:
        raise BadPortForwardingRequest(
            "the internal port range must be one port or of the external range's length"
        )
    return external, internal


def _side(values: Mapping[str, Any], side: str) -> Ports | None:
    port, ports = values.get(f"{side}_port"), values.get(f"{side}_port_range")
    if port is not None and ports is not None and ports_of(ports) != (port, port):
        raise BadPortForwardingRequest(f"{side}_port and {side}_port_range are different")
    return (port, port) if port is not None else ports_of(ports)


def _single(ports: Ports | None) -> int | None:
    return ports[0] if ports is not None and ports[0] == ports[1] else None


def _range(ports: Ports | None) -> str | None:
    return None if ports is None else f"{ports[0]}:{ports[1]}"
