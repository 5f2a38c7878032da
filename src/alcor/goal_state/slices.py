"""Which slice holds what, and the keys of its entries.

A slice is the unit of order and of subscription; its name is the prefix of its keys.

| slice | entries |
|---|---|
| `host/<host>/` | `port/<port id>`: a port bound there, in full |
| `network/<id>/` | `network`; `subnet/<id>`; `neighbour/<port id>` |
"""

HOST = "host"
NETWORK = "network"


def host_slice(host: str) -> str:
    """The slice of one host's ports; that host subscribes to it."""
    return f"host/{host}/"


def network_slice(network_id: str) -> str:
    """The slice of one network; hosts with a port on it subscribe to it."""
    return f"network/{network_id}/"


def host_port_key(host: str, port_id: str) -> str:
    """The entry of a port in its host's slice (a `Port`)."""
    return f"host/{host}/port/{port_id}"


def network_key(network_id: str) -> str:
    """The entry of the network itself (a `Network`)."""
    return f"network/{network_id}/network"


def subnet_key(network_id: str, subnet_id: str) -> str:
    """The entry of a subnet (a `Subnet`)."""
    return f"network/{network_id}/subnet/{subnet_id}"


def neighbour_key(network_id: str, port_id: str) -> str:
    """The entry of a bound port as its network's hosts see it (a `Neighbour`)."""
    return f"network/{network_id}/neighbour/{port_id}"


def slice_of(key: str) -> str:
    """The slice that holds `key`: its first two parts."""
    kind, _, rest = key.partition("/")
    owner, _, _ = rest.partition("/")
    return f"{kind}/{owner}/"
