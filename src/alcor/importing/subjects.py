"""Each kind that is brought, and what is particular about it. Pure.

Source of what owners of ports and networks mean: neutron_lib.constants, neutron.db.l3_hamode_db.
"""

from collections.abc import Mapping

from alcor.client.api import Item
from alcor.importing.subject import Subject, Verdict
from alcor.resource.declaration import Resource

ROUTER_INTERFACE = "network:router_interface"
INTERFACES = (
    ROUTER_INTERFACE,
    "network:router_interface_distributed",
    "network:ha_router_replicated_interface",
)
SUB_PORT = "trunk:subport"
# Ports that the source makes for itself, and what has them here.
_OWNERS = {
    "network:dhcp": "hosts answer DHCP without a port",
    "network:distributed": "hosts answer for metadata without a port",
    "network:floatingip": "made with its floating IP",
    "network:floatingip_agent_gateway": "hosts need none",
    "network:router_gateway": "made with its router",
    "network:router_ha_interface": "routers need none",
    "network:router_centralized_snat": "routers need none",
    "network:local_ip": "made with its local IP",
}
_WITHOUT_LIKE = "gre"
TUNNELS = ("vxlan", "geneve", _WITHOUT_LIKE)
PHYSICAL = ("flat", "vlan")
_TYPES = ("vxlan", "geneve", *PHYSICAL)
_PROVIDER = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")
_HA_NETWORKS = ("HA network tenant ", "HA network project ")
# Whom all may use says an RBAC policy, and these are brought with their ids.
_SHARED = ("shared",)
_NETWORKS_OWN = ("shared", "router:external", "is_default")
_SCOPE = "address_scope"  # with whom it is shared, its subnet pools may be


def _type_of(item: Item) -> str:
    segments = item.get("segments") or [item]
    return str(segments[0].get("provider:network_type") or TUNNELS[0])


def _network(item: Item, *, anew: bool) -> Verdict | None:
    if _type_of(item) in PHYSICAL and len(item.get("segments") or ()) < 2:
        return Verdict("", owners=True)
    return _bringable(item, anew=anew)


def _physical(item: Item) -> Verdict | None:
    if _type_of(item) not in PHYSICAL or len(item.get("segments") or ()) > 1:
        return Verdict("", owners=True)
    return None


def _bringable(item: Item, *, anew: bool) -> Verdict | None:
    if item.get("ha") or (not item["project_id"] and item["name"].startswith(_HA_NETWORKS)):
        return Verdict("routers need none", owners=True)
    if len(segments := item.get("segments") or ()) > 1:
        return Verdict(f"it has {len(segments)} segments, whose ids can't be kept: make it by hand")
    type_ = _type_of(item)
    if not (type_ in TUNNELS and anew) and type_ not in _TYPES:
        return Verdict(f"networks here are not of type {type_}")
    return None


def _of_one_segment(item: Item, wanted: Item, *, anew: bool) -> None:
    for segment in wanted.pop("segments", None) or ():
        wanted |= {name: segment.get(name) for name in _PROVIDER}
    if anew and wanted.get("provider:network_type") in TUNNELS:
        if wanted["provider:network_type"] == _WITHOUT_LIKE:  # with more room in a packet than ours
            wanted.pop("mtu", None)
        for name in _PROVIDER:
            wanted.pop(name, None)


def _subnet(item: Item) -> Verdict | None:
    if item.get("segment_id"):
        return Verdict("it is of a segment, whose id can't be kept: make it by hand")
    if item.get("subnetpool_id") == "prefix_delegation":
        return Verdict("prefixes are not delegated to hosts here")
    return None


def _port(item: Item) -> Verdict | None:
    if why := _OWNERS.get(item["device_owner"]):
        return Verdict(why, owners=True)
    return None


def _unattached(item: Item, wanted: Item) -> None:
    """Routers and trunks take their ports themselves; then these have their owners."""
    if item["device_owner"] in INTERFACES:
        for name in ("device_owner", "device_id", "binding:host_id", "binding:profile"):
            wanted.pop(name, None)
        wanted["port_security_enabled"] = False
    elif item["device_owner"] == SUB_PORT:
        for name in ("device_owner", "device_id"):
            wanted.pop(name, None)


def _of_router(item: Item, body: Item) -> Item:
    """The body of a port that a router will take: it may have addresses that only routers have."""
    if item["device_owner"] in INTERFACES:
        return {**body, "device_owner": ROUTER_INTERFACE}
    return body


def _plugged(item: Item) -> list[str]:
    vnic_type = item.get("binding:vnic_type") or "normal"
    return [] if vnic_type == "normal" else [f"no host here plugs a port of type {vnic_type}"]


def _gateway(item: Item, wanted: Item) -> None:
    info = wanted.get("external_gateway_info")
    if info:
        wanted["external_gateway_info"] = {k: v for k, v in info.items() if v is not None}


def _forwarding_free(item: Item, wanted: Item) -> None:
    """`subnet_id` is a wish of whoever makes one; which router translates follows."""
    wanted.pop("subnet_id", None)


def subjects(kinds: Mapping[str, Resource], *, anew: bool) -> list[Subject]:
    """The kinds that are lists of their own, in the order in which they are made.

    `anew`: networks that go by tunnels get the type and the id that the region here gives.
    """

    def of(title: str, command: str, **how: object) -> Subject:
        return Subject(title=title, kind=kinds[command], **how)  # type: ignore[arg-type]

    return [
        of("address scopes", "address-scope", left_out=_SHARED),
        of("subnet pools", "subnetpool", left_out=_SHARED),
        of("QoS policies", "qos-policy", left_out=_SHARED),
        of("service profiles", "service-profile"),
        of("flavors", "flavor"),
        of(
            "segment ranges",
            "network-segment-range",
            judge=lambda item: (
                Verdict("made of settings", owners=True) if item.get("default") else None
            ),
        ),
        of("address groups", "address-group"),
        of("default groups", "security-group", only=(("name", "default"),)),
        of("security groups", "security-group", judge=_not_default),
        of("security group rules", "security-group-rule"),
        of(
            "networks",
            "network",
            left_out=_NETWORKS_OWN,
            judge=lambda item: _network(item, anew=anew),
            shape=lambda item, wanted: _of_one_segment(item, wanted, anew=anew),
        ),
        # After the others, whose tunnels' ids are given: these get such an id chosen here.
        of(
            "flat and VLAN networks",
            "network",
            left_out=_NETWORKS_OWN,
            judge=_physical,
            shape=lambda item, wanted: _of_one_segment(item, wanted, anew=False),
        ),
        of("RBAC policies of scopes", "rbac-policy", only=(("object_type", _SCOPE),)),
        of("RBAC policies", "rbac-policy", apart="object_type", judge=_of_no_scope),
        of("subnets", "subnet", judge=_subnet),
        of("ports", "port", judge=_port, shape=_unattached, first=_of_router, lost=_plugged),
        of(
            "routers",
            "router",
            left_out=("routes", "ha", "distributed"),
            shape=_gateway,
        ),
        of("floating IPs", "floatingip", left_out=("router_id",), shape=_forwarding_free),
        of("NDP proxies", "ndp-proxy"),
        of("trunks", "trunk"),
        of("metering labels", "metering-label"),
        of("metering label rules", "metering-label-rule"),
        of("local IPs", "local-ip"),
        of("logs", "log"),
        of("tap mirrors", "tap-mirror"),
        of("tap services", "tap-service"),
        of("tap flows", "tap-flow"),
    ]


def _of_no_scope(item: Item) -> Verdict | None:
    return Verdict("", owners=True) if item["object_type"] == _SCOPE else None


def _not_default(item: Item) -> Verdict | None:
    return Verdict("", owners=True) if item["name"] == "default" else None
