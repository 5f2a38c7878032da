"""The tables of this manager, and what a row of them keeps."""

import msgspec

from alcor.contracts.routing import Path
from alcor.managers.elastic_ip.model.floating_ip import Backing, FloatingIp, Held
from alcor.managers.elastic_ip.model.port_forwarding import Forwarding, PortForwarding
from alcor.runtime.tables.resource_table import ResourceTable, Row

FLOATING_IPS = ResourceTable(
    "floatingip",
    "FloatingIP",
    (
        "project_id",
        "floating_network_id",
        "floating_ip_address",
        "port_id",
        "fixed_ip_address",
        "router_id",
        "holder_port_id",
        "mac_address",
        "interface_port_id",
        "gateway_port_id",
        "qos_policy_id",
    ),
    nullable=frozenset({"port_id", "fixed_ip_address", "router_id", "qos_policy_id"}),
    counted=True,
    tagged=True,
)
FORWARDINGS = ResourceTable(
    "port_forwarding",
    "PortForwarding",
    (
        "project_id",
        "floatingip_id",
        "internal_port_id",
        "router_id",
        "interface_port_id",
        "gateway_port_id",
    ),
)

encode = msgspec.json.Encoder().encode
_decode_ip = msgspec.json.Decoder(FloatingIp).decode
_decode_forwarding = msgspec.json.Decoder(PortForwarding).decode


def floating_ip_row(held: Held, sequence: int) -> Row:
    """The row that keeps a floating IP."""
    ip, backing = held
    columns = (
        ip.project_id,
        ip.floating_network_id,
        ip.floating_ip_address,
        ip.port_id,
        ip.fixed_ip_address,
        ip.router_id,
        *backing,
        ip.qos_policy_id,
    )
    return Row(ip.id, columns, sequence, encode(ip))


def held_of(row: Row) -> Held:
    """The floating IP of a row."""
    return Held(_decode_ip(row.doc), Backing(*map(str, row.columns[6:10])))


def forwarding_row(forwarding: Forwarding, sequence: int) -> Row:
    """The row that keeps a port forwarding."""
    shown, floatingip_id, project_id, path = forwarding
    columns = (
        project_id,
        floatingip_id,
        shown.internal_port_id,
        path.router_id,
        path.interface_port_id,
        path.gateway_port_id,
    )
    return Row(shown.id, columns, sequence, encode(shown))


def forwarding_of(row: Row) -> Forwarding:
    """The port forwarding of a row."""
    project_id, floatingip_id, _, router_id, interface, gateway = map(str, row.columns)
    path = Path(router_id=router_id, interface_port_id=interface, gateway_port_id=gateway)
    return Forwarding(_decode_forwarding(row.doc), floatingip_id, project_id, path)
