"""Where packets travel: in tunnels between hosts, or a physical network. Pure.

Tunnels are VXLAN or Geneve, all of a region alike; the id of such a network is its VNI. A network
of the hosts' physical network is untagged there (flat), or under a VLAN id; it may be external or
not. A network has a first segment, of its own id, and may have further ones: each is a broadcast
domain by itself, of the ports that have addresses of its subnets.
Source: Neutron API reference v2, "Networks provider extended attributes"; neutron.plugins.ml2.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from alcor.values.errors import BadRequest, Conflict, InvalidInput

VXLAN, GENEVE, FLAT, VLAN = "vxlan", "geneve", "flat", "vlan"
TUNNELS = (VXLAN, GENEVE)
vlan_max = 4_094
PREFIX = "provider:"
_FIELDS = ("network_type", "physical_network", "segmentation_id")


class SegmentsSetInConjunctionWithProviders(BadRequest):
    """Two ways to say the same thing."""

    def __init__(self) -> None:
        super().__init__("Segments and provider values cannot both be set.")


class VlanIdInUse(Conflict):
    """Another network has the VLAN."""

    def __init__(self, vlan: int, physical_network: str) -> None:
        super().__init__(
            f"Unable to create the network. The VLAN {vlan} on physical network "
            f"{physical_network} is in use."
        )


class FlatNetworkInUse(Conflict):
    """Another network has the untagged packets."""

    def __init__(self, physical_network: str) -> None:
        super().__init__(
            f"Unable to create the flat network. Physical network {physical_network} is in use."
        )


class Segment(NamedTuple):
    """How packets travel; an id of None is to be chosen, or (flat) there is none. A VLAN without
    a physical network is to be one of a range (`segment_range`)."""

    network_type: str = VXLAN
    physical_network: str | None = None
    segmentation_id: int | None = None


def segments(
    values: Mapping[str, Any], vni_min: int, vni_max: int, tunnel_type: str = VXLAN
) -> list[Segment]:
    """The segments of the network that a checked POST asks for, its first one first.

    `InvalidInput` when they can't be. `tunnel_type` is that of the region's tunnels.
    """
    return [segment(each, vni_min, vni_max, tunnel_type) for each in _wanted(values)]


def segment(
    values: Mapping[str, Any], vni_min: int, vni_max: int, tunnel_type: str = VXLAN
) -> Segment:
    """One segment of these values, by the names of `Segment`; `InvalidInput` when it can't be."""
    physical, id_ = values.get("physical_network"), values.get("segmentation_id")
    type_ = values.get("network_type") or tunnel_type
    if not values.get("network_type") and physical:
        raise _invalid("network_type required")
    if type_ in TUNNELS:
        if type_ != tunnel_type:
            raise _invalid(f"network_type value '{type_}' not supported")
        if physical is not None:
            raise _invalid(f"physical_network prohibited for {type_} provider network")
        _check_range(id_, vni_min, vni_max)
        return Segment(type_, None, id_)
    if type_ == FLAT and not physical:
        raise _invalid("physical_network required for flat provider network")
    if type_ == FLAT and id_ is not None:
        raise _invalid("segmentation_id prohibited for flat provider network")
    if not physical and id_ is not None:
        raise _invalid("segmentation_id requires physical_network for VLAN provider network")
    return Segment(type_, physical or None, None if id_ is None else vlan_id(id_))


def vlan_id(wanted: int) -> int:
    """The id, if a VLAN can have it."""
    _check_range(wanted, 1, vlan_max)
    return wanted


def _wanted(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """As the body says; a type that is not given is missing, or empty."""
    given = {name: values[PREFIX + name] for name in _FIELDS if PREFIX + name in values}
    listed = values.get("segments")
    if not listed:
        return [given]
    if given:
        raise SegmentsSetInConjunctionWithProviders
    return [{name.removeprefix(PREFIX): v for name, v in each.items()} for each in listed]


def _check_range(wanted: int | None, low: int, high: int) -> None:
    if wanted is not None and not low <= wanted <= high:
        raise _invalid(f"segmentation_id out of range ({low} through {high})")


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {reason}.")
