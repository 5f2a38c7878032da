"""L2_DST, DELIVER, TUNNEL_OUT: a known MAC leads to its port or to its host; nothing else does.

Between two hosts that both have an uplink to the network's physical network, machines' frames go by
the uplinks. What a router sends on goes by the tunnel even there: the same router is on all hosts,
and its MAC must not appear on the wire now at one place, now at another.
"""

from collections.abc import Iterator, Sequence

from alcor.agent.model.model import Tunnel, Wired
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.shape import AnyFlow, Shape
from alcor.goal_state.entries import Neighbour, Network
from alcor.ovs.flow import (
    DROP,
    Action,
    Clone,
    Flow,
    Resubmit,
    apply,
    load,
    match,
    move,
    output,
    set_field,
)
from alcor.values.addresses import Address, Mac

MULTICAST_BIT = 1 << 40
_TO_MULTICAST = apply(goto=p.MULTICAST)
_TUNNEL_ID = move(p.VNI, "tun_id")
_TUNNEL_DST = move(p.TUNNEL_REMOTE, "tun_dst")


def _to_host(cookie: int, vni: int, mac: int, endpoint: int) -> Flow:
    """What was sent here to a MAC goes to the host that has it."""
    theirs = match(metadata=vni, eth_dst=mac, reg0=p.FROM_HERE)
    to_tunnel = apply(set_field(p.TUNNEL_REMOTE, endpoint), goto=p.TUNNEL_OUT)
    return Flow(p.L2_DST, p.PRIORITY.normal, theirs, to_tunnel, cookie)


def _of_machine(cookie: int, vni: int, mac: int, endpoint: int) -> Flow:
    """The same, of what was sent here by a machine: nothing from outside leaves again."""
    flow = _to_host(cookie, vni, mac, endpoint)
    return flow._replace(match=match(metadata=vni, eth_dst=mac, reg0=p.FROM_MACHINE))


def _of_router(cookie: int, vni: int, mac: int, endpoint: int) -> Flow:
    """The same, of what a router has sent on here."""
    flow = _to_host(cookie, vni, mac, endpoint)
    return flow._replace(match=match(metadata=vni, eth_dst=mac, reg0=_FROM_ROUTER))


def _by_uplink(cookie: int, vni: int, mac: int) -> Flow:
    theirs = match(metadata=vni, eth_dst=mac, reg0=p.FROM_MACHINE)
    return Flow(p.L2_DST, p.PRIORITY.normal, theirs, apply(goto=p.UPLINK_OUT), cookie)


def _nowhere(cookie: int, vni: int, mac: int) -> Flow:
    return Flow(p.L2_DST, p.PRIORITY.normal, match(metadata=vni, eth_dst=mac), DROP, cookie)


_FROM_ROUTER = (p.ROUTED[0], p.FROM_HERE[1] | p.ROUTED[1])
_REMOTE = Shape(_to_host, p.VNI, "eth_dst", p.TUNNEL_REMOTE)
_REMOTE_OF_MACHINE = Shape(_of_machine, p.VNI, "eth_dst", p.TUNNEL_REMOTE)
_REMOTE_OF_ROUTER = Shape(_of_router, p.VNI, "eth_dst", p.TUNNEL_REMOTE)
_BY_UPLINK = Shape(_by_uplink, p.VNI, "eth_dst")
_NOWHERE = Shape(_nowhere, p.VNI, "eth_dst")


def host(tunnel: Tunnel | None, cookie: int) -> Iterator[Flow]:
    """Multicast goes its own way; the tunnel port, once there is one."""
    group = match(eth_dst=(MULTICAST_BIT, MULTICAST_BIT))
    yield Flow(p.L2_DST, p.PRIORITY.low, group, _TO_MULTICAST, cookie)
    if tunnel is not None:
        encapsulate = apply(_TUNNEL_ID, _TUNNEL_DST, output(tunnel.ofport))
        yield Flow(p.TUNNEL_OUT, p.PRIORITY.normal, match(), encapsulate, cookie)


def port(wired: Wired, elsewhere: Sequence[Address], cookie: int) -> Iterator[Flow]:
    """A local port is reached by its MAC, from here and from the tunnel."""
    yield from reached_by(wired, wired.port.mac, elsewhere, cookie)
    # A parent and its sub-ports share an interface, where a switch would send nothing back.
    anew = (load("in_port", 0, bits=16),) if wired.port.vlan else ()
    deliver = apply(*anew, *wired.delivery)
    yield Flow(p.DELIVER, p.PRIORITY.normal, match(reg15=wired.number), deliver, cookie)


def reached_by(wired: Wired, mac: Mac, elsewhere: Sequence[Address], cookie: int) -> Iterator[Flow]:
    """A local port has what is sent to a MAC of its network; `elsewhere` goes what is sent here."""
    mine = match(metadata=wired.network.vni, eth_dst=mac)
    # Above the neighbours: while a port moves here, its neighbour still says the other host.
    to_port = set_field(p.PORT_OUT, wired.number)
    yield Flow(p.L2_DST, p.PRIORITY.high, mine, apply(to_port, goto=p.ACL_IN), cookie)
    if elsewhere:
        sent_here = match(metadata=wired.network.vni, eth_dst=mac, reg0=p.FROM_HERE)
        to_all = apply(*_copies(elsewhere), to_port, goto=p.ACL_IN)
        yield Flow(p.L2_DST, p.PRIORITY.guard, sent_here, to_all, cookie)


def neighbour(
    network: Network,
    neighbour: Neighbour,
    endpoints: Sequence[Address],
    cookie: int,
    *,
    by_uplink: bool = False,
) -> list[AnyFlow]:
    """A port of other hosts is reached through the tunnel, only by what was sent here.

    In a physical network by the uplink, if that leads from this host to the other.
    """
    is_physical = bool(network.physical_network)
    if len(endpoints) == 1:
        numbers = (cookie, network.vni, neighbour.mac, endpoints[0].number)
        if not is_physical:
            return [(_REMOTE, numbers)]
        direct = (_BY_UPLINK, numbers[:3]) if by_uplink else (_REMOTE_OF_MACHINE, numbers)
        return [direct, (_REMOTE_OF_ROUTER, numbers)]
    to_all = apply(*_copies(endpoints))
    flags = (p.FROM_MACHINE, _FROM_ROUTER) if is_physical else (p.FROM_HERE,)
    theirs = [match(metadata=network.vni, eth_dst=neighbour.mac, reg0=each) for each in flags]
    every = [Flow(p.L2_DST, p.PRIORITY.normal, what, to_all, cookie) for what in theirs]
    return [*every] if endpoints else []


def _copies(endpoints: Sequence[Address]) -> Iterator[Action]:
    """One packet to each host; what happens to them does not happen to the packet itself."""
    for endpoint in endpoints:
        yield Clone((set_field(p.TUNNEL_REMOTE, endpoint.number), Resubmit(p.TUNNEL_OUT)))


def held_back(network: Network, neighbour: Neighbour, cookie: int) -> list[AnyFlow]:
    """A port of this host while it can't be reached: nothing for it leaves by an uplink."""
    if not network.physical_network:
        return []
    return [(_NOWHERE, (cookie, network.vni, neighbour.mac))]
