"""What a run needs of the Networking API before it: its extensions, an external network, pools."""

from typing import Any

from keystoneauth1.adapter import Adapter

_NETWORK = {"name": "public", "router:external": True, "shared": False}
_SUBNETS = (
    {"name": "public-subnet", "ip_version": 4, "cidr": "198.18.0.0/20", "enable_dhcp": False},
    {
        "name": "ipv6-public-subnet",
        "ip_version": 6,
        "cidr": "2001:db8:0:ff::/64",
        "enable_dhcp": False,
    },
)

_POOL = {"is_default": True, "shared": True}
_POOLS = (
    {"name": "default-v4", "prefixes": ["10.64.0.0/10"], "default_prefixlen": 26},
    {"name": "default-v6", "prefixes": ["2001:db8:8000::/40"], "default_prefixlen": 64},
)

_COLLECTIONS = (
    "networks", "subnets", "subnetpools", "address-scopes", "segments", "ports", "trunks",
    "routers", "floatingips", "security-groups", "security-group-rules", "address-groups",
    "rbac-policies", "qos/policies", "taas/tap_mirrors",
)  # fmt: skip


def extensions(api: Adapter) -> list[str]:
    """The aliases that the endpoint announces."""
    return sorted(str(e["alias"]) for e in api.get("/v2.0/extensions").json()["extensions"])


def external_network(api: Adapter) -> str:
    """The id of an external network with subnets for floating IPs; empty when it is refused."""
    if made := _posted(api, "network", _NETWORK):
        for subnet in _SUBNETS:
            _posted(api, "subnet", subnet | {"network_id": made["id"]})
    return str(made.get("id", ""))


def private_network(api: Adapter) -> tuple[str, str]:
    """The ids of a project's own network and its subnet."""
    network = _posted(api, "network", {"name": "private"})["id"]
    subnet = {"name": "private-subnet", "network_id": network, "ip_version": 4}
    made = _posted(api, "subnet", subnet | {"cidr": "192.168.233.0/24"})
    return str(network), str(made["id"])


def default_pools(api: Adapter) -> None:
    """The default subnet pools that auto-allocated topologies take theirs from."""
    for pool in _POOLS:
        _posted(api, "subnetpool", _POOL | pool)


def everything(api: Adapter) -> frozenset[str]:
    """The path of every resource of the kinds that plans make."""
    found = set()
    for path in _COLLECTIONS:
        items = api.get(f"/v2.0/{path}?fields=id").json()
        found |= {
            f"{path}/{each['id']}" for each in items[path.rpartition("/")[2].replace("-", "_")]
        }
    return frozenset(found)


def _posted(api: Adapter, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(f"/v2.0/{name}s", json={name: fields}, raise_exc=False)
    made: dict[str, Any] = answer.json()[name] if answer.status_code == 201 else {}
    return made
