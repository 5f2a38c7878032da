"""Which other hosts have ports of a network. Pure. A part of `model.py`'s HostModel."""

from collections import Counter

from alcor.goal_state.entries import Neighbour


class Reach:
    """Tunnel endpoints by network, each with how many of its ports are there."""

    def __init__(self) -> None:
        self._by_network: dict[str, Counter[int]] = {}

    def endpoints(self, network_id: str) -> list[int]:
        """IPv4 addresses of the endpoints, in order."""
        return sorted(self._by_network.get(network_id, ()))

    def change(self, network_id: str, before: Neighbour | None, now: Neighbour | None) -> bool:
        """A neighbour that was so is so now; whether there is an endpoint more or less."""
        left, come = _endpoint(before), _endpoint(now)
        if left == come:
            return False
        held = self._by_network.setdefault(network_id, Counter())
        had = len(held)
        is_new = come is not None and come not in held
        if come is not None:
            held[come] += 1
        if left is not None:
            held[left] -= 1
            if not held[left]:
                del held[left]
        if not held:
            del self._by_network[network_id]
        return is_new or len(held) != had


def _endpoint(neighbour: Neighbour | None) -> int | None:
    """None for an underlay of IPv6, which has no place in the pipeline's register yet."""
    if neighbour is None or neighbour.tunnel_endpoint.version != 4:
        return None
    return neighbour.tunnel_endpoint.number
