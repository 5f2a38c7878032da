"""How a port is bound to its host: the words of `binding:*`. Pure.

Source: Neutron API reference v2, "Port binding"; neutron_lib.api.definitions.portbindings.
"""

from typing import Any

import msgspec

from alcor.resource.fields import FieldType, one_of, shown
from alcor.values.errors import InvalidInput

UNBOUND, OVS, FAILED = "unbound", "ovs", "binding_failed"  # binding:vif_type
NORMAL = "normal"  # the vnic type that hosts can plug; a port of another is not bound

VNIC_TYPE = one_of(
    NORMAL,
    "direct",
    "macvtap",
    "baremetal",
    "direct-physical",
    "virtio-forwarder",
    "smart-nic",
    "vdpa",
    "accelerator-direct",
    "accelerator-direct-physical",
    "remote-managed",
)
profile_chars_max = 4_095

VIF_DETAILS: dict[str, dict[str, Any]] = {
    UNBOUND: {},
    FAILED: {},
    OVS: {
        "connectivity": "l2",
        "port_filter": True,
        "ovs_hybrid_plug": False,
        "datapath_type": "system",
        "bridge_name": "br-int",
    },
}


def vif_type(host: str, host_known: bool, vnic_type: str) -> str:
    """Whether the host can plug the port."""
    if not host:
        return UNBOUND
    return OVS if host_known and vnic_type == NORMAL else FAILED


def of_type(type_: str) -> dict[str, Any]:
    """The values of a port that say so."""
    return {"vif_type": type_, "vif_details": VIF_DETAILS[type_]}


def _parse_profile(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is not a dictionary")
    if len(msgspec.json.encode(value)) > profile_chars_max:
        raise InvalidInput("Invalid input for operation: binding:profile value too large.")
    return value


PROFILE = FieldType("object", _parse_profile, None, {"type": "object"})


def with_trust(profile: dict[str, Any], trusted: bool | None) -> dict[str, Any]:
    """The profile as Nova reads it: whether a port that says so is trusted."""
    return profile if trusted is None else {**profile, "trusted": trusted}


def without_trust(profile: dict[str, Any], trusted: bool | None) -> dict[str, Any]:
    """The profile without what `with_trust` has added, if it has."""
    if trusted is None:
        return profile
    return {name: value for name, value in profile.items() if name != "trusted"}
