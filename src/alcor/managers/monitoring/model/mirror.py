"""A tap mirror: copies of what passes a port, sent to an address on the underlay. Pure.

In GRE (RFC 2784, RFC 2890) or ERSPAN type II (version 1 of its header). Source:
neutron_lib.api.definitions.tap_mirror; neutron_taas.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.values.addresses import address
from alcor.values.errors import Conflict, InvalidInput

ERSPAN, GRE = "erspanv1", "gre"
TYPES = (ERSPAN, GRE)
IN, OUT, BOTH = "IN", "OUT", "BOTH"  # to the machine, from it, and both under one tunnel id
tunnel_id_max = (1 << 32) - 1  # a key of GRE
_session_max = (1 << 10) - 1  # of ERSPAN


class TapMirrorTunnelConflict(Conflict):
    """Another mirror has the tunnel id."""

    def __init__(self, tunnel_id: int) -> None:
        super().__init__(f"Tap Mirror with tunnel_id {tunnel_id} already exists")


class TapMirror(msgspec.Struct, frozen=True, kw_only=True):
    """A mirror; its directions have a tunnel id each, or one together; there is at least one."""

    id: str
    name: str
    description: str
    tenant_id: str
    project_id: str
    port_id: str
    # As they were written. The release before kept a number with a fraction of nothing as such.
    directions: dict[str, int | float | str]
    remote_ip: str
    mirror_type: str

    @property
    def tunnel_ids(self) -> dict[str, int]:
        """The tunnel id of each direction."""
        return {direction: int(written) for direction, written in self.directions.items()}

    @property
    def in_tunnel(self) -> int | None:
        """The tunnel id of what goes to the machine."""
        return self.tunnel_ids.get(IN, self.tunnel_ids.get(BOTH))

    @property
    def out_tunnel(self) -> int | None:
        """The tunnel id of what the machine sends."""
        return self.tunnel_ids.get(OUT, self.tunnel_ids.get(BOTH))


def mirror(values: Mapping[str, Any], id_: str) -> TapMirror:
    """The mirror that a checked body asks for; `InvalidInput` when no host can have it."""
    made = TapMirror(
        id=id_,
        name=values["name"],
        description=values["description"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        port_id=values["port_id"],
        directions=values["directions"],
        remote_ip=values["remote_ip"],
        mirror_type=values["mirror_type"],
    )
    tunnel_ids = made.tunnel_ids.values()
    if not tunnel_ids:
        raise _invalid(f"directions names {IN}, {OUT} or {BOTH}.")
    if BOTH in made.directions and len(tunnel_ids) > 1:
        raise _invalid(f"{BOTH} is {IN} and {OUT}, and stands alone.")
    if len(set(tunnel_ids)) < len(tunnel_ids):
        raise _invalid("the directions have tunnel ids of their own.")
    if made.mirror_type == ERSPAN and max(tunnel_ids) > _session_max:
        raise _invalid(f"a tunnel id of {ERSPAN} is {_session_max} at most.")
    if address(made.remote_ip).version != 4:
        raise _invalid("remote_ip is not on the underlay, which is of IPv4.")
    return made


def _invalid(why: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {why}")
