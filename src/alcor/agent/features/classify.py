"""CLASSIFY: a local port's packets get its key and network; the tunnel's their network by VNI.

Only untagged frames: no port is a trunk.
"""

from collections.abc import Iterator

from alcor.agent import pipeline as p
from alcor.agent.model import Tunnel, Wired
from alcor.goal_state.entries import Network
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import Flow, apply, match, set_field

UNTAGGED = 0
_VNI_FULL = FIELD_BY_NAME[p.VNI].full
_FROM_TUNNEL = set_field(p.FLAGS, *p.FROM_TUNNEL)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """The flow that makes a port heard."""
    network = (wired.network.vni, _VNI_FULL)
    instructions = apply(set_field(p.PORT_IN, wired.ofport), goto=p.PORT_SEC_L2, metadata=network)
    what = match(in_port=wired.ofport, vlan_vid=UNTAGGED)
    yield Flow(p.CLASSIFY, p.PRIORITY.normal, what, instructions, cookie)


def network(network: Network, tunnel: Tunnel, cookie: int) -> Iterator[Flow]:
    """The flow that takes a network's packets from other hosts; only local ports get them."""
    instructions = apply(_FROM_TUNNEL, goto=p.L2_DST, metadata=(network.vni, _VNI_FULL))
    what = match(in_port=tunnel.ofport, tun_id=network.vni, vlan_vid=UNTAGGED)
    yield Flow(p.CLASSIFY, p.PRIORITY.normal, what, instructions, cookie)
