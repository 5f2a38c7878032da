"""Where the packets of a machine go that is being moved from host to host. Pure.

While its port is bound to two hosts each gets what is sent to it, so that nothing is lost whichever
of them it is at, and whenever it goes from one to the other. What its old host has in flight and
what is sent before all hosts have heard of the move arrives as well. A copy that comes where the
machine is not ends at an interface that nobody listens at.
"""

from alcor.goal_state.entries import Neighbour, Port
from alcor.values.addresses import Address


def endpoints_of(
    neighbour: Neighbour, port: Port | None, here: Address | None
) -> tuple[Address, ...]:
    """The other hosts that get what this host sends to the neighbour; `port`: it is bound here.

    An underlay of IPv6 has no place in TUNNEL_REMOTE yet: such a host is not reached.
    """
    wanted = (neighbour.tunnel_endpoint, *neighbour.also)
    if port is not None and not port.waits and len(wanted) == 1:
        return ()  # its machine is here; the neighbour may still say where it was before
    return tuple([each for each in wanted if each != here and each.version == 4])


def is_moved(port: Port | None, *neighbours: Neighbour | None) -> bool:
    """Whether what its host does with a port's packets depends on its neighbour entry."""
    if port is None:
        return False
    return port.waits or any(each is not None and each.also for each in neighbours)
