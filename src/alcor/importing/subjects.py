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


def _travels(item: Item) -> list[Item]:
    """Its segments, or what it says of its only one."""
    return item.get("segments") or [item]


def _types(item: Item) -> set[str]:
    return {str(each.get("provider:network_type") or TUNNELS[0]) for each in _travels(item)}


def _network(item: Item, *, anew: bool) -> Verdict | None:
    if _types(item).intersection(PHYSICAL):
        return Verdict("", owners=True)
    return _bringable(item, anew=anew)


def _physical(item: Item, *, anew: bool) -> Verdict | None:
    if _types(item).isdisjoint(PHYSICAL):
        return Verdict("", owners=True)
    return _bringable(item, anew=anew)


def _bringable(item: Item, *, anew: bool) -> Verdict | None:
    if item.get("ha") or (not item["project_id"] and item["name"].startswith(_HA_NETWORKS)):
        return Verdict("routers need none", owners=True)
    if others := _types(item).difference(_TYPES, TUNNELS if anew else ()):
        return Verdict(f"networks here are not of type {', '.join(sorted(others))}")
    return None


def _travelling(item: Item, wanted: Item, *, anew: bool) -> None:
    """How it travels is said once: of its only segment, or in a list of all."""
    if anew and _WITHOUT_LIKE in _types(item):  # with more room in a packet than ours
        wanted.pop("mtu", None)
    wanted.pop("segments", None)
    for name in _PROVIDER:
        wanted.pop(name, None)
    travels = [
        {}
        if anew and each.get("provider:network_type") in TUNNELS
        else {name: each[name] for name in _PROVIDER if name in each}
        for each in _travels(item)
    ]
    wanted.update(travels[0] if len(travels) == 1 else {"segments": travels})


def _subnet(item: Item) -> Verdict | None:
    if item.get("subnetpool_id") == "prefix_delegation":
        return Verdict("prefixes are not delegated to hosts here")
    return None


def _port(item: Item) -> Verdict | None:
    if why := _OWNERS.get(item["device_owner"]):
        return Verdict(why, owners=True)
    return None


def _unattached(item: Item, wanted: Item) -> None:
    """Routers and trunks take their ports themselves; then these have their owners. Who waits for
    addresses, until its host says of which segment, has not asked to have none."""
    if item.get("ip_allocation") == "deferred":
        wanted.pop("fixed_ips", None)
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
            shape=lambda item, wanted: _travelling(item, wanted, anew=anew),
        ),
        # After the others, whose tunnels' ids are given: these get such an id chosen here.
        of(
            "flat and VLAN networks",
            "network",
            left_out=_NETWORKS_OWN,
            judge=lambda item: _physical(item, anew=anew),
            shape=lambda item, wanted: _travelling(item, wanted, anew=anew),
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
