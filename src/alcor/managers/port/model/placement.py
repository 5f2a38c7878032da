"""What a port asks OpenStack's Placement for: the minimum rules of its QoS policy. Pure.

Nova allocates it on a host before it starts a machine there, so that a host is never promised for
more than its resource providers have. Source: Neutron API reference v2, "Port resource request
groups"; neutron.services.qos.qos_plugin; os-traits' names.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid5

from alcor.intent.records import QosRuleRecord
from alcor.values.placement import (
    RESOURCE_CLASSES,
    TUNNEL_TRAIT,
    physical_network_trait,
    vnic_type_trait,
)
from alcor.values.qos import PLACED


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
            RESOURCE_CLASSES[type_, rule.direction]: rule.rate
            for rule in rules
            if rule.type == type_
        }
        if resources:
            group = str(uuid5(UUID(port_id), type_))
            required = _traits(type_, vnic_type, physical_network)
            groups.append({"id": group, "required": required, "resources": resources})
    return {"request_groups": groups, "same_subtree": [each["id"] for each in groups]}


def _traits(type_: str, vnic_type: str, physical_network: str) -> list[str]:
    """What a provider must have: packet rates are a host's, bandwidth is of one of its networks."""
    kind = vnic_type_trait(vnic_type)
    if type_ != "minimum_bandwidth":
        return [kind]
    return [physical_network_trait(physical_network) if physical_network else TUNNEL_TRAIT, kind]
