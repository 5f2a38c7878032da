"""MULTICAST, COPY: what is sent to all of a network, or to a group, gets to every port of it.

Each local port but the sender gets a copy. Each other host with ports of the network gets one, and
copies it for them; an uplink gets one for all hosts and everybody else behind it. Every copy passes
the receiver's ACL, security groups and limits. Memberships of groups are not tracked: a machine
drops what it did not ask for, as on a switch without IGMP snooping. What a network sends is metered
before it is copied.
"""

from collections.abc import Iterator, Sequence

from alcor.agent.model.model import Wired
from alcor.agent.model.ports.meter import Meter, of_copied
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Network
from alcor.ovs.flow import DROP, Action, Clone, Flow, Resubmit, apply, match, set_field

# A switch gives up on a packet with more to do than fits 64 KiB, and 4096 resubmissions.
local_copies_max = 256  # with more ports of one network here none gets a copy
remote_copies_max = 128  # with ports on more hosts than this none of them does

_CAME = (p.FROM_TUNNEL, p.FROM_UPLINK)


def port(wired: Wired, cookie: int) -> Flow:
    """A sender hears nothing of itself."""
    mine = match(reg14=wired.number, reg15=wired.number)
    return Flow(p.COPY, p.PRIORITY.normal, mine, DROP, cookie)


def network(
    network: Network,
    numbers: Sequence[int],
    endpoints: Sequence[int],
    has_uplink: bool,
    cookie: int,
) -> Iterator[Flow]:
    """Copies for local ports (by number), and for the hosts of others (by tunnel endpoint)."""
    local = _each(p.PORT_OUT, numbers, p.COPY, local_copies_max)
    remote = _each(p.TUNNEL_REMOTE, endpoints, p.TUNNEL_OUT, remote_copies_max)
    if has_uplink:
        remote = (*remote, Clone((Resubmit(p.UPLINK_OUT),)))
    meter = of_copied(network.vni).id
    sent = match(metadata=network.vni, reg0=p.FROM_INSIDE)
    yield Flow(p.MULTICAST, p.PRIORITY.low, sent, apply(*local, *remote, meter=meter), cookie)
    for came in _CAME:
        what = match(metadata=network.vni, reg0=came)
        yield Flow(p.MULTICAST, p.PRIORITY.low, what, apply(*local), cookie)


def meters(network: Network) -> Iterator[Meter]:
    """The meter that the network's flows name."""
    yield of_copied(network.vni)


def _each(register: str, targets: Sequence[int], table: int, most: int) -> tuple[Action, ...]:
    if len(targets) > most:
        return ()
    return tuple(Clone((set_field(register, each), Resubmit(table))) for each in targets)
