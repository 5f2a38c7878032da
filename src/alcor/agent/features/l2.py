"""L2_DST, DELIVER, TUNNEL_OUT: a known MAC leads to its port or to its host; nothing else does."""

from collections.abc import Iterator

from alcor.agent import pipeline as p
from alcor.agent.model import Tunnel, Wired
from alcor.agent.shapes import match_by, set_to
from alcor.goal_state.entries import Neighbour, Network
from alcor.ovs.flow import Flow, Instructions, apply, match, move, output, set_field

MULTICAST_BIT = 1 << 40
_TO_MULTICAST = apply(goto=p.MULTICAST)
_sent_here_to = match_by(p.VNI, "eth_dst", reg0=p.FROM_HERE)
_set_remote = set_to(p.TUNNEL_REMOTE)
_TUNNEL_ID = move(p.VNI, "tun_id")
_TUNNEL_DST = move(p.TUNNEL_REMOTE, "tun_dst")


def host(tunnel: Tunnel | None, cookie: int) -> Iterator[Flow]:
    """Multicast goes its own way; the tunnel port, once there is one."""
    group = match(eth_dst=(MULTICAST_BIT, MULTICAST_BIT))
    yield Flow(p.L2_DST, p.PRIORITY.low, group, _TO_MULTICAST, cookie)
    if tunnel is not None:
        encapsulate = apply(_TUNNEL_ID, _TUNNEL_DST, output(tunnel.ofport))
        yield Flow(p.TUNNEL_OUT, p.PRIORITY.normal, match(), encapsulate, cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """A local port is reached by its MAC, from here and from the tunnel."""
    mine = match(metadata=wired.network.vni, eth_dst=wired.port.mac)
    # Above the neighbours: while a port moves here, its neighbour still says the other host.
    to_port = apply(set_field(p.PORT_OUT, wired.ofport), goto=p.ACL_IN)
    yield Flow(p.L2_DST, p.PRIORITY.high, mine, to_port, cookie)
    deliver = apply(output(wired.ofport))
    yield Flow(p.DELIVER, p.PRIORITY.normal, match(reg15=wired.ofport), deliver, cookie)


def neighbour(network: Network, neighbour: Neighbour, cookie: int) -> Iterator[Flow]:
    """A port of another host is reached through the tunnel, only by what was sent here.

    An underlay of IPv6 has no place in TUNNEL_REMOTE yet: such a neighbour is not reached.
    """
    if neighbour.tunnel_endpoint.version != 4:
        return
    theirs = _sent_here_to(network.vni, neighbour.mac)
    remote = _set_remote(neighbour.tunnel_endpoint.number)
    to_tunnel = Instructions((remote,), p.TUNNEL_OUT)
    yield Flow(p.L2_DST, p.PRIORITY.normal, theirs, to_tunnel, cookie)
