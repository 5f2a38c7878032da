"""Where a network's packets travel: in tunnels between hosts, or a physical network. Pure.

Tunnels are VXLAN or Geneve, all of a region alike; the id of such a network is its VNI. A network
of the hosts' physical network is untagged there (flat), or under a VLAN id; it may be external or
not.
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
    """How a network travels; an id of None is to be chosen, or (flat) there is none."""

    network_type: str = VXLAN
    physical_network: str | None = None
    segmentation_id: int | None = None


def segment(
    values: Mapping[str, Any], vni_min: int, vni_max: int, tunnel_type: str = VXLAN
) -> Segment:
    """What a checked POST asks for; `InvalidInput` when that can't be.

    `tunnel_type` is that of the region's tunnels.
    """
    wanted = _wanted(values)
    type_ = wanted.network_type or tunnel_type
    if not wanted.network_type and wanted.physical_network:
        raise _invalid("network_type required")
    if type_ in TUNNELS:
        if type_ != tunnel_type:
            raise _invalid(f"network_type value '{type_}' not supported")
        if wanted.physical_network is not None:
            raise _invalid(f"physical_network prohibited for {type_} provider network")
        _check_range(wanted.segmentation_id, vni_min, vni_max)
        return Segment(type_, None, wanted.segmentation_id)
    if not wanted.physical_network:
        raise _invalid(f"physical_network required for {type_} provider network")
    if type_ == FLAT and wanted.segmentation_id is not None:
        raise _invalid("segmentation_id prohibited for flat provider network")
    _check_range(wanted.segmentation_id, 1, vlan_max)
    return Segment(type_, wanted.physical_network, wanted.segmentation_id)


def _wanted(values: Mapping[str, Any]) -> Segment:
    """As the body says; the type is empty where it is not given."""
    given = {name: values[PREFIX + name] for name in _FIELDS if PREFIX + name in values}
    segments = values.get("segments")
    if segments:
        if given:
            raise SegmentsSetInConjunctionWithProviders
        if len(segments) > 1:
            raise _invalid("a network has one segment")
        given = {name.removeprefix(PREFIX): value for name, value in segments[0].items()}
    return Segment(
        given.get("network_type") or "",
        given.get("physical_network"),
        given.get("segmentation_id"),
    )


def _check_range(wanted: int | None, low: int, high: int) -> None:
    if wanted is not None and not low <= wanted <= high:
        raise _invalid(f"segmentation_id out of range ({low} through {high})")


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {reason}.")
