"""VLAN tags: of networks on uplinks, and of sub-ports on their parents' interfaces. Pure."""

from alcor.ovs.fields import VLAN_PRESENT
from alcor.ovs.flow import Action, PushVlan, set_field

TAGS = (0x8100, 0x88A8)  # ethertypes: 802.1Q, 802.1ad


def heard(vlan: int) -> int:
    """What frames of a VLAN have as `vlan_vid`; of 0 those without a tag."""
    return VLAN_PRESENT | vlan if vlan else 0


def put_on(vlan: int) -> tuple[Action, ...]:
    """What tags a frame; nothing for 0."""
    return (PushVlan(TAGS[0]), set_field("vlan_vid", VLAN_PRESENT | vlan)) if vlan else ()
