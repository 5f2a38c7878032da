"""Names in OpenStack's Placement: what ports ask for there, and hosts have. Pure.

Source: os-resource-classes, os-traits; neutron_lib.placement.
"""

import re

# Resource classes, by the type of a QoS rule and its direction. Bandwidth is in kbit/s, rates are
# in thousands of packets a second.
RESOURCE_CLASSES = {
    ("minimum_bandwidth", "egress"): "NET_BW_EGR_KILOBIT_PER_SEC",
    ("minimum_bandwidth", "ingress"): "NET_BW_IGR_KILOBIT_PER_SEC",
    ("minimum_packet_rate", "egress"): "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
    ("minimum_packet_rate", "ingress"): "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
    ("minimum_packet_rate", "any"): "NET_PACKET_RATE_KILOPACKET_PER_SEC",
}
TUNNEL_TRAIT = "CUSTOM_NETWORK_TUNNEL_PROVIDER"


def physical_network_trait(name: str) -> str:
    """Of what leads to a physical network."""
    return _trait(f"PHYSNET_{name}")


def vnic_type_trait(name: str) -> str:
    """Of what has ports of this kind (binding:vnic_type)."""
    return _trait(f"VNIC_TYPE_{name}")


def _trait(name: str) -> str:
    """os_traits.normalize_name."""
    return "CUSTOM_" + re.sub("[^0-9A-Z]+", "_", name.upper())
