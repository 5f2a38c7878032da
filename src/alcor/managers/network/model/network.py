"""Networks and their rules: what may be asked for. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from alcor.managers.network.model.segment import TUNNELS, VLAN, VXLAN, Segment, vlan_id
from alcor.resource.revisions import revised
from alcor.values.errors import Conflict, InvalidInput, Unavailable


class NetworkInUse(Conflict):
    """Something is still on the network."""

    def __init__(self, id_: str, reason: str) -> None:
        super().__init__(f"Unable to complete operation on network {id_}. {reason}")


class InvalidSharedSetting(Conflict):
    """Projects that would lose access have ports on the network."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"Unable to reconfigure sharing settings for network {id_}. Multiple tenants are "
            "using it."
        )


class ExternalNetworkInUse(Conflict):
    """Routers of projects that would lose it leave by the network."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"External network {id_} cannot be updated to be made non-external, since it has "
            "existing gateway ports"
        )


class NetworkIdInUse(Conflict):
    """The id that the client chose is taken."""


class TunnelIdInUse(Conflict):
    """The VNI that was asked for is another network's."""


class DefaultExternalNetworkExists(Conflict):
    """There is one default external network."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"A default external network already exists: {id_}.")


class NoNetworkAvailable(Unavailable):
    """Every VNI is taken, or every VLAN of a physical network."""


class Provider(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "network_type": "provider:network_type",
        "physical_network": "provider:physical_network",
        "segmentation_id": "provider:segmentation_id",
    },
):
    """One of a network's segments, as the network shows it."""

    network_type: str
    physical_network: str | None
    segmentation_id: int | None


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
    network_type: str = msgspec.field(name="provider:network_type", default=VXLAN)
    physical_network: str | None = msgspec.field(name="provider:physical_network", default=None)
    segmentation_id: int | None = msgspec.field(name="provider:segmentation_id")
    segments: tuple[Provider, ...] | msgspec.UnsetType = msgspec.UNSET  # of several, the first too
    vni: int = msgspec.field(name="alcor:vni", default=0)  # of the tunnels between hosts
    external: bool = msgspec.field(name="router:external", default=False)
    availability_zones: tuple[str, ...] = ()
    availability_zone_hints: tuple[str, ...] = ()
    l2_adjacency: bool = True  # one broadcast domain: no subnet is of a segment
    ipv4_address_scope: str | None = None  # that of the pool its subnets are of
    ipv6_address_scope: str | None = None
    qos_policy_id: str | None = None  # of its ports that have none of their own
    is_default: bool = False
    dns_domain: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    revision_number: int
    created_at: str
    updated_at: str


class Reach(NamedTuple):
    """Whom the policies of a network let use it, beside its owner."""

    shared_with: tuple[str, ...]


NOBODY = Reach(())


class Limits(NamedTuple):
    """What this region allows; both ends included."""

    mtu_max: int  # bytes: what the underlay leaves to machines
    vni_min: int
    vni_max: int
    tunnel_type: str = VXLAN


def network(
    values: Mapping[str, Any], travels: Segment, id_: str, now: str, limits: Limits
) -> Network:
    """The network that a checked body asks for; its VNI is 0 where it is to be chosen."""
    _check_default(values["is_default"], values["router:external"])
    return Network(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        admin_state_up=values["admin_state_up"],
        mtu=mtu(values["mtu"], limits),
        port_security_enabled=values["port_security_enabled"],
        network_type=travels.network_type,
        physical_network=travels.physical_network,
        segmentation_id=travels.segmentation_id,
        vni=(travels.segmentation_id or 0) if travels.network_type in TUNNELS else 0,
        external=values["router:external"],
        is_default=values["is_default"],
        availability_zone_hints=tuple(values["availability_zone_hints"]),
        dns_domain=values["dns_domain"],
        description=values["description"],
        shared=values["shared"],
        qos_policy_id=values["qos_policy_id"],
        revision_number=1,
        created_at=now,
        updated_at=now,
    )


def changed(old: Network, changes: Mapping[str, Any], now: str, limits: Limits) -> Network:
    """The network after a checked PUT; the very same value when nothing is different."""
    wanted = dict(changes)
    _check_travels(old, wanted)
    vlan = wanted.get(_VLAN_ID)
    if vlan is not None and vlan != old.segmentation_id:
        wanted["segmentation_id"] = vlan_id(vlan)
    if "mtu" in wanted:
        wanted["mtu"] = mtu(wanted["mtu"], limits)
    if "tags" in wanted:
        wanted["tags"] = tuple(wanted["tags"])
    if "router:external" in wanted:
        wanted["external"] = wanted["router:external"]
    known = {name: value for name, value in wanted.items() if name in CHANGEABLE}
    new = revised(old, known, now)
    if new is not old:
        _check_default(new.is_default, new.external)
    return new


CHANGEABLE = frozenset(
    {
        "name",
        "admin_state_up",
        "mtu",
        "port_security_enabled",
        "dns_domain",
        "description",
        "tags",
        "shared",
        "external",
        "is_default",
        "qos_policy_id",
        "segmentation_id",
    }
)
_VLAN_ID = "provider:segmentation_id"


def mtu(wanted: int, limits: Limits) -> int:
    """The MTU in bytes; 0 asks for the largest that fits."""
    if wanted == 0:
        return limits.mtu_max
    if wanted > limits.mtu_max:
        raise InvalidInput(
            f"Invalid input for operation: Requested MTU is too big, maximum is {limits.mtu_max}."
        )
    return wanted


def _check_travels(old: Network, wanted: Mapping[str, Any]) -> None:
    """How a network travels stays as it is, but for the id of a VLAN, as in Neutron; clients that
    send back what they read say the same."""
    values = {
        "provider:network_type": old.network_type,
        "provider:physical_network": old.physical_network,
        _VLAN_ID: old.segmentation_id,
    }
    others = [name for name in values if wanted.get(name, values[name]) != values[name]]
    if wanted.get("segments", []) not in ([], list(msgspec.to_builtins(old.segments or ()))):
        others.append("segments")
    if others == [_VLAN_ID] and old.network_type == VLAN and wanted[_VLAN_ID] is not None:
        if not old.segments:
            return
        raise InvalidInput(
            "Invalid input for operation: Provider network attributes can be updated only in "
            "provider networks with a single segment."
        )
    if others:
        raise InvalidInput(
            "Invalid input for operation: Plugin does not support updating the following provider "
            f"network attributes: {', '.join(others)}."
        )


def _check_default(is_default: bool, external: bool) -> None:
    if is_default and not external:
        message = "only an external network can be the default one"
        raise InvalidInput(f"Invalid input for operation: {message}.")
