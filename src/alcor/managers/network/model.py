"""Networks and their rules: what may be asked for, which VNI is next. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from alcor.values.errors import Conflict, InvalidInput, NotFound, Unavailable

mtu_min = 68  # bytes: RFC 791


class NetworkNotFound(NotFound):
    """There is no such network, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Network {id_[:255]} could not be found.")


class NetworkInUse(Conflict):
    """Something is still on the network."""

    def __init__(self, id_: str, reason: str) -> None:
        super().__init__(f"Unable to complete operation on network {id_}. {reason}")


class NetworkIdInUse(Conflict):
    """The id that the client chose is taken."""


class TunnelIdInUse(Conflict):
    """The VNI that was asked for is another network's."""


class NoNetworkAvailable(Unavailable):
    """Every VNI is taken."""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A network as clients see it (Neutron API reference, "Networks")."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    admin_state_up: bool
    status: str = "ACTIVE"
    shared: bool = False
    subnets: tuple[str, ...] = ()
    mtu: int  # bytes a machine may send
    port_security_enabled: bool
    network_type: str = msgspec.field(name="provider:network_type", default="vxlan")
    physical_network: None = msgspec.field(name="provider:physical_network", default=None)
    vni: int = msgspec.field(name="provider:segmentation_id")
    external: bool = msgspec.field(name="router:external", default=False)
    availability_zones: tuple[str, ...] = ()
    availability_zone_hints: tuple[str, ...] = ()
    ipv4_address_scope: None = None
    ipv6_address_scope: None = None
    qos_policy_id: None = None
    is_default: bool = False
    dns_domain: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str


class Limits(NamedTuple):
    """What this region allows; both ends included."""

    mtu_max: int  # bytes: what the underlay leaves to machines
    vni_min: int
    vni_max: int


def network(values: Mapping[str, Any], id_: str, now: str, limits: Limits) -> Network:
    """The network that a checked body asks for; its VNI is 0 where it is to be chosen."""
    return Network(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        admin_state_up=values["admin_state_up"],
        mtu=mtu(values["mtu"], limits),
        port_security_enabled=values["port_security_enabled"],
        vni=_vni(values.get("provider:segmentation_id"), limits),
        dns_domain=values["dns_domain"],
        description=values["description"],
        revision_number=1,
        created_at=now,
        updated_at=now,
    )


def changed(old: Network, changes: Mapping[str, Any], now: str, limits: Limits) -> Network:
    """The network after a checked PUT; the very same value when nothing is different."""
    wanted = dict(changes)
    if "mtu" in wanted:
        wanted["mtu"] = mtu(wanted["mtu"], limits)
    if "tags" in wanted:
        wanted["tags"] = tuple(wanted["tags"])
    different = {
        name: value
        for name, value in wanted.items()
        if name in CHANGEABLE and getattr(old, name) != value
    }
    if not different:
        return old
    return msgspec.structs.replace(
        old, **different, revision_number=old.revision_number + 1, updated_at=now
    )


CHANGEABLE = frozenset(
    {"name", "admin_state_up", "mtu", "port_security_enabled", "dns_domain", "description", "tags"}
)


def mtu(wanted: int, limits: Limits) -> int:
    """The MTU in bytes; 0 asks for the largest that fits."""
    if wanted == 0:
        return limits.mtu_max
    if wanted < mtu_min:
        raise InvalidInput(f"Invalid input for operation: MTU {wanted} is below {mtu_min}.")
    if wanted > limits.mtu_max:
        raise InvalidInput(
            f"Invalid input for operation: Requested MTU is too big, maximum is {limits.mtu_max}."
        )
    return wanted


def _vni(wanted: int | None, limits: Limits) -> int:
    if wanted is None:
        return 0
    if not limits.vni_min <= wanted <= limits.vni_max:
        span = f"{limits.vni_min} to {limits.vni_max}"
        raise InvalidInput(f"Invalid input for operation: segmentation_id must be {span}.")
    return wanted


def free_vni(cursor: int, taken: Iterable[int], limits: Limits) -> int:
    """The first VNI from `cursor` on that is not taken; `taken` in order, from `cursor` on.

    0 when there is none up to the end of the range: the caller goes round once.
    """
    candidate = max(cursor, limits.vni_min)
    for number in taken:
        if number > candidate:
            break
        candidate = max(candidate, number + 1)
    return candidate if candidate <= limits.vni_max else 0
