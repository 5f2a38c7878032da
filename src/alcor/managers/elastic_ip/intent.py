"""What the intent log is told of floating IPs and port forwardings. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import FloatingIpRecord, NdpProxyRecord, PortForwardingRecord
from alcor.managers.elastic_ip.model.floating_ip import FloatingIp, Held
from alcor.managers.elastic_ip.model.ndp_proxy import NdpProxy
from alcor.managers.elastic_ip.model.port_forwarding import (
    NUMBER_BY_PROTOCOL,
    Forwarding,
    ports_of,
)

floating_ip_kind = "floating_ip"
port_forwarding_kind = "port_forwarding"
_NO_PORTS = (0, 0)


def floating_ip_record(held: Held) -> FloatingIpRecord:
    """The record of a floating IP."""
    ip, backing = held
    return FloatingIpRecord(
        id=ip.id,
        project_id=ip.project_id,
        floating_network_id=ip.floating_network_id,
        floating_ip_address=ip.floating_ip_address,
        floating_port_id=backing.port_id,
        mac_address=backing.mac_address,
        router_id=ip.router_id or "",
        port_id=ip.port_id or "",
        fixed_ip_address=ip.fixed_ip_address or "",
        dns_name=_whole_name(ip),
        dns_domain=ip.dns_domain,
        qos_policy_id=ip.qos_policy_id or "",
    )


def _whole_name(ip: FloatingIp) -> str:
    """Of a floating IP, without the last dot; empty when it has none."""
    domain = ip.dns_domain.rstrip(".")
    if ip.dns_name.endswith("."):
        return ip.dns_name.rstrip(".")
    return f"{ip.dns_name}.{domain}" if ip.dns_name else ""


def port_forwarding_record(forwarding: Forwarding) -> PortForwardingRecord:
    """The record of a port forwarding; both ranges are (0, 0) for protocols without ports."""
    shown = forwarding.shown
    return PortForwardingRecord(
        id=shown.id,
        floating_ip_id=forwarding.floatingip_id,
        protocol=NUMBER_BY_PROTOCOL[shown.protocol],
        external_ports=ports_of(shown.external_port_range) or _NO_PORTS,
        internal_port_id=shown.internal_port_id,
        internal_ip=shown.internal_ip_address,
        internal_ports=ports_of(shown.internal_port_range) or _NO_PORTS,
    )


def ndp_proxy_record(proxy: NdpProxy) -> NdpProxyRecord:
    """The record of an NDP proxy."""
    return NdpProxyRecord(
        id=proxy.id,
        project_id=proxy.project_id,
        router_id=proxy.router_id,
        ip_address=proxy.ip_address,
    )


def told_floating_ip(held: Held) -> Told:
    """That the floating IP is so."""
    key = records.key(floating_ip_kind, held.ip.id)
    return Told(key, records.encode(floating_ip_record(held)))


def told_port_forwarding(forwarding: Forwarding) -> Told:
    """That the port forwarding is so."""
    key = records.key(port_forwarding_kind, forwarding.shown.id)
    return Told(key, records.encode(port_forwarding_record(forwarding)))


def told_gone(kind: str, id_: str) -> Told:
    """That one of a kind is gone."""
    return Told(records.key(kind, id_), None)
