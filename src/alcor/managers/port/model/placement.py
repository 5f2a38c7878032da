"""What a port asks OpenStack's Placement for: the minimum rules of its QoS policy. Pure.

Nova allocates it on a host before it starts a machine there, so that a host is never promised for
more than its resource providers have. Source: Neutron API reference v2, "Port resource request
groups"; neutron.services.qos.qos_plugin; os-traits' names.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid5

from alcor.intent.records import QosRuleRecord
from alcor.values.qos import PLACED

_CLASS_BY_RULE = {
    ("minimum_bandwidth", "egress"): "NET_BW_EGR_KILOBIT_PER_SEC",
    ("minimum_bandwidth", "ingress"): "NET_BW_IGR_KILOBIT_PER_SEC",
    ("minimum_packet_rate", "egress"): "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
    ("minimum_packet_rate", "ingress"): "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
    ("minimum_packet_rate", "any"): "NET_PACKET_RATE_KILOPACKET_PER_SEC",
}
_TUNNEL = "CUSTOM_NETWORK_TUNNEL_PROVIDER"


def asks(rules: Iterable[QosRuleRecord]) -> bool:
    """Whether one of the rules asks for something."""
    return any(rule.type in PLACED for rule in rules)


def request(
    port_id: str, vnic_type: str, physical_network: str, rules: Sequence[QosRuleRecord]
) -> dict[str, Any]:
    """The field `resource_request`: a group for bandwidth, and one for packet rates.

    A group's id is the same for as long as the port has such rules, whatever they say.
    """
    groups = []
    for type_ in PLACED:
        resources = {
            _CLASS_BY_RULE[type_, rule.direction]: rule.rate for rule in rules if rule.type == type_
        }
        if resources:
            group = str(uuid5(UUID(port_id), type_))
            required = _traits(type_, vnic_type, physical_network)
            groups.append({"id": group, "required": required, "resources": resources})
    return {"request_groups": groups, "same_subtree": [each["id"] for each in groups]}


def _traits(type_: str, vnic_type: str, physical_network: str) -> list[str]:
    """What a provider must have: packet rates are a host's, bandwidth is of one of its networks."""
    kind = _trait(f"VNIC_TYPE_{vnic_type}")
    if type_ != "minimum_bandwidth":
        return [kind]
    return [_trait(f"PHYSNET_{physical_network}") if physical_network else _TUNNEL, kind]


def _trait(name: str) -> str:
    """os_traits.normalize_name."""
    return "CUSTOM_" + re.sub("[^0-9A-Z]+", "_", name.upper())
