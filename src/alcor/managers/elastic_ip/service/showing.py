"""Floating IPs as clients see them: with how their ports are, and with their port forwardings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.held_ports import PortView
from alcor.managers.elastic_ip.model.port_forwarding import PortForwarding
from alcor.managers.elastic_ip.needs import Transaction

_encode = msgspec.json.Encoder().encode


class Known(msgspec.Struct):
    """What must be known of a document."""

    id: str
    port_id: str | None
    floating_network_id: str


known = msgspec.json.Decoder(Known).decode


def ports_of(documents: Iterable[Raw]) -> set[str]:
    """The internal ports of floating IPs."""
    return {port_id for each in documents if (port_id := known(each).port_id) is not None}


def networks_of(documents: Iterable[Raw]) -> list[str]:
    """The external networks of floating IPs."""
    return sorted({known(each).floating_network_id for each in documents})


def shown(
    tx: Transaction,
    documents: Sequence[Raw],
    view_by_port: Mapping[str, PortView],
    policy_by_network: Mapping[str, str],
) -> list[Raw]:
    """The documents with what is others' put in: `port_details`, `port_forwardings` and
    `qos_network_policy_id`."""
    heads = [known(document) for document in documents]
    forwardings: dict[str, list[dict[str, Any]]] = {head.id: [] for head in heads}
    for each in tx.forwardings_of(list(forwardings)):
        forwardings[each.floatingip_id].append(_forwarding(each.shown))
    found: list[Raw] = []
    for head, document in zip(heads, documents, strict=True):
        view = view_by_port.get(head.port_id or "")
        more = {
            "port_details": None if view is None else _details(view),
            "port_forwardings": forwardings[head.id],
            "qos_network_policy_id": policy_by_network.get(head.floating_network_id) or None,
        }
        found.append(Raw(bytes(document)[:-1] + b"," + _encode(more)[1:]))
    return found


def _details(view: PortView) -> dict[str, Any]:
    port = view.port
    return {
        "name": port.name,
        "network_id": port.network_id,
        "mac_address": port.mac_address,
        "admin_state_up": port.admin_state_up,
        "status": view.status,
        "device_id": port.device_id,
        "device_owner": port.device_owner,
    }


def _forwarding(each: PortForwarding) -> dict[str, Any]:
    """Ports one by one, as Neutron shows them here; ranges only where there are some."""
    found: dict[str, Any] = {
        "id": each.id,
        "protocol": each.protocol,
        "internal_port_id": each.internal_port_id,
        "internal_ip_address": each.internal_ip_address,
        "internal_port": each.internal_port,
        "external_port": each.external_port,
    }
    if each.external_port is None:
        found["internal_port_range"] = each.internal_port_range
        found["external_port_range"] = each.external_port_range
    return found
