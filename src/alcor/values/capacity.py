"""What a host has to guarantee: bandwidth of its uplinks, and packets. Pure.

Source: Neutron's admin guide, "Quality of Service (QoS): Guaranteed Minimum Bandwidth", and the
options `resource_provider_*` of its Open vSwitch agent.
"""

import msgspec

devices_max = 101  # of a host: as many as it may have uplinks, and one for tunnels
total_max = 2_147_483_647  # as Placement counts


class Bandwidth(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one of the host's ways out carries."""

    device: str  # the uplink's bridge, or a name for what tunnels leave by
    physical_network: str = ""  # that the bridge leads to; empty: none
    tunnels: bool = False  # whether tunnels leave by it
    egress: int = 0  # kbit/s; 0: none is promised
    ingress: int = 0


class PacketRates(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the host's switch carries, in thousands of packets a second; 0: none is promised."""

    egress: int = 0
    ingress: int = 0
    any: int = 0  # both ways together; with it the others are 0


class Inventory(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a total is given out. Source: Placement API, "Update resource provider inventories"."""

    allocation_ratio: float = 1.0
    min_unit: int = 1
    max_unit: int = 0  # 0: no limit of its own
    step_size: int = 1
    reserved: int = 0


class Capacity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a host has to guarantee."""

    hypervisor: str = ""  # as Nova calls the host; empty: by its own name
    bandwidths: tuple[Bandwidth, ...] = ()  # of devices whose names differ
    bandwidth_inventory: Inventory = Inventory()
    packet_rates: PacketRates = PacketRates()
    packet_rate_inventory: Inventory = Inventory()


NOTHING = Capacity()
