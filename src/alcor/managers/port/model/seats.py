"""What a port shows of the trunk that it is on: shapes only."""

import msgspec


class SubPort(msgspec.Struct, frozen=True, kw_only=True):
    """A sub-port as its parent shows it (Neutron API reference, "Trunk details")."""

    segmentation_id: int
    segmentation_type: str = "vlan"
    port_id: str
    mac_address: str


class TrunkDetails(msgspec.Struct, frozen=True):
    """What a parent shows: its trunk, and who is on it."""

    trunk_id: str
    sub_ports: tuple[SubPort, ...] = ()


class OnTrunk(msgspec.Struct, frozen=True):
    """What a sub-port shows: its trunk, its parent, and the VLAN id of its frames there."""

    trunk_id: str
    port_id: str
    segmentation_id: int
