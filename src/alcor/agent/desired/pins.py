"""The neighbours that a host must know in lazily held networks, though no machine has asked. Pure.

They are its own ports; the port with a gateway's address, as the host answers for that address if
no port has it; and ports with floating IPs of the networks' routers, as their hosts translate.
"""

from collections.abc import Iterable, Set

from alcor.goal_state.entries import FloatingIp, GoalEntry, Port, RouterInterface, Subnet
from alcor.goal_state.slices import found_slice


def decides(key: str) -> bool:
    """Whether an entry under `key` may pin somebody, though it leads to no other slice."""
    return "/subnet/" in key


def of(networks: Set[str], entries: Iterable[GoalEntry]) -> frozenset[str]:
    """The `found` slices of these networks, of all that the host holds."""
    if not networks:
        return frozenset()
    pinned: set[str] = set()
    networks_by_router: dict[str, set[str]] = {}
    floating: list[FloatingIp] = []
    for entry in entries:
        match entry:
            case Port() if entry.network_id in networks:
                pinned.add(found_slice(entry.network_id, entry.id))
            case Subnet(gateway=gateway) if gateway is not None and entry.network_id in networks:
                pinned.add(found_slice(entry.network_id, str(gateway)))
            case RouterInterface() if entry.network_id in networks:
                networks_by_router.setdefault(entry.router_id, set()).add(entry.network_id)
            case FloatingIp() if entry.port_id:
                floating.append(entry)
    for each in floating:
        for network_id in networks_by_router.get(each.router_id, ()):
            pinned.add(found_slice(network_id, each.port_id))
    return frozenset(pinned)
