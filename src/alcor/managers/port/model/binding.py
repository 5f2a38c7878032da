"""How a port is bound to its host: the words of `binding:*`. Pure.

Source: Neutron API reference v2, "Port binding"; neutron_lib.api.definitions.portbindings.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from alcor.intent.records import NodeRecord
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


class Plug(NamedTuple):
    """How a port is plugged in; the names are those of a port's fields."""

    vif_type: str
    vif_details: dict[str, Any]  # shared by all that are plugged in alike


NOT_BOUND, NOT_PLUGGED = Plug(UNBOUND, {}), Plug(FAILED, {})


def plug(host: str, node: NodeRecord | None, vnic_type: str) -> Plug:
    """How the host plugs the port in; `node` is what is known of the host, None when it can't."""
    if not host:
        return NOT_BOUND
    return NOT_PLUGGED if node is None or vnic_type != NORMAL else plugged(node)


def plugged(node: NodeRecord | None) -> Plug:
    """How this host plugs ports in; what it does not say of itself is as it is on most."""
    if node is None:
        return _plug("br-int", "system")
    return _plug(node.bridge or "br-int", node.datapath_type or "system")


@lru_cache(maxsize=256)
def _plug(bridge: str, datapath_type: str) -> Plug:
    # Nova makes the bridge as these details say, and turns over one of another type. Told to make
    # the tap itself it does so before a live migration, and waits for its port to be up: else the
    # tap comes with the machine, for which that wait never ends.
    details = {
        "connectivity": "l2",
        "port_filter": True,
        "ovs_hybrid_plug": False,
        "ovs_create_tap": True,
        "datapath_type": datapath_type,
        "bridge_name": bridge,
    }
    return Plug(OVS, details)


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
