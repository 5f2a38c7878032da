"""Which other hosts have ports of a network. Pure. A part of `HostModel`."""

from collections import Counter

from alcor.agent.model.holding import put_nested
from alcor.agent.model.unit import Unit, UnitKind
from alcor.goal_state.entries import Neighbour, Presence


class Reach:
    """Tunnel endpoints by network, each with how many of its ports are there."""

    def __init__(self) -> None:
        self._by_network: dict[str, Counter[int]] = {}
        self._told: dict[str, dict[str, int]] = {}  # of lazy networks: by network and host

    def endpoints(self, network_id: str) -> list[int]:
        """IPv4 addresses of the endpoints, in order."""
        told = self._told.get(network_id, {}).values()
        return sorted({*self._by_network.get(network_id, ()), *told})

    def tell(self, presence: Presence, is_there: bool) -> set[Unit]:
        """A host has ports of a network, or has none any more; whose flows change."""
        endpoint = presence.tunnel_endpoint
        is_there &= endpoint.version == 4
        number = endpoint.number if is_there else None
        put_nested(self._told, presence.network_id, presence.host, number)
        return {Unit(UnitKind.NETWORK, presence.network_id)}

    def change(self, network_id: str, before: Neighbour | None, now: Neighbour | None) -> bool:
        """A neighbour that was so is so now; whether there is an endpoint more or less."""
        left, come = _endpoints(before), _endpoints(now)
        if left == come:
            return False
        held = self._by_network.get(network_id)
        if held is None:
            held = self._by_network[network_id] = Counter()
        changed = False
        for each in come:
            changed |= each not in held
            held[each] += 1
        for each in left:
            held[each] -= 1
            if not held[each]:
                del held[each]
                changed = True
        if not held:
            del self._by_network[network_id]
        return changed


def _endpoints(neighbour: Neighbour | None) -> tuple[int, ...]:
    """Not those in an underlay of IPv6, which has no place in the pipeline's register yet."""
    if neighbour is None:
        return ()
    endpoint = neighbour.tunnel_endpoint
    if not neighbour.also:  # as nearly always, and there are thousands
        return (endpoint.number,) if endpoint.version == 4 else ()
    return tuple([each.number for each in (endpoint, *neighbour.also) if each.version == 4])
