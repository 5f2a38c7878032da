"""Where the packets of a machine go while it moves from one host to another. Pure.

While its port is bound to two hosts, both get what is sent to it: so nothing is lost, wherever the
machine is and whenever it switches over. What the old host still has in flight, and what is sent
before all hosts have heard of the move, arrives as well. The copy that comes where the machine is
not ends at an interface that nobody reads.
"""

from alcor.goal_state.entries import Neighbour, Port
from alcor.values.addresses import Address


def endpoints_of(
    neighbour: Neighbour, port: Port | None, here: Address | None
) -> tuple[Address, ...]:
    """The other hosts that get what this host sends to the neighbour; `port`: it is bound here.

    An underlay of IPv6 has no place in TUNNEL_REMOTE yet: such a host is not reached.
    """
    endpoint = neighbour.tunnel_endpoint
    if neighbour.also:
        wanted = (endpoint, *neighbour.also)
        return tuple([each for each in wanted if each != here and each.version == 4])
    if port is not None and not port.waits:
        return ()  # its machine is here; the neighbour may still say where it was before
    return (endpoint,) if endpoint != here and endpoint.version == 4 else ()


def is_moved(port: Port | None, *neighbours: Neighbour | None) -> bool:
    """Whether what its host does with a port's packets depends on its neighbour entry."""
    if port is None:
        return False
    return port.waits or any(each is not None and each.also for each in neighbours)
