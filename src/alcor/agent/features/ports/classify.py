"""CLASSIFY, RETURN: a local port's packets get its number and network; the tunnel's their network.

Copies for taps, which have a tunnel port of their own, are handed over and go no further.

A frame without a VLAN tag belongs to the port of the interface. A tag stands for a sub-port and is
taken off here: after this stage a sub-port is a port like any other. Frames with a tag of no
sub-port are dropped.
"""

from collections.abc import Iterator

from alcor.agent.model.model import Tunnel, Wired
from alcor.agent.model.ports.tags import TAGS, heard
from alcor.agent.model.ports.tapping import FROM_NOWHERE
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Network
from alcor.ovs.fields import FIELD_BY_NAME, VLAN_PRESENT
from alcor.ovs.flow import DROP, IN_PORT, Flow, PopVlan, apply, match, output, set_field

UNTAGGED = 0
_VNI_FULL = FIELD_BY_NAME[p.VNI].full
_FROM_TUNNEL = set_field(p.FLAGS, *p.FROM_TUNNEL)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """The flow that makes a port heard, and the one that brings answers back, if that is special:
    to a sub-port with its tag, to a mirrored port with a copy."""
    network, vlan = (wired.network.vni, _VNI_FULL), wired.port.vlan
    # A switch sends nothing back to where it came from; sub-ports share an interface.
    untag = (PopVlan(), FROM_NOWHERE) if vlan else ()
    named = set_field(p.PORT_IN, wired.number)
    copies = wired.taps.egress
    instructions = apply(*untag, *copies, named, goto=p.PORT_SEC_L2, metadata=network)
    what = match(in_port=wired.ofport, vlan_vid=heard(vlan))
    yield Flow(p.CLASSIFY, p.PRIORITY.normal, what, instructions, cookie)
    mine = match(reg14=wired.number)
    if vlan:
        yield Flow(p.RETURN, p.PRIORITY.normal, mine, apply(*wired.delivery), cookie)
    elif wired.taps.ingress:
        back = apply(*wired.taps.ingress, output(IN_PORT))
        yield Flow(p.RETURN, p.PRIORITY.normal, mine, back, cookie)


def tap(wired: Wired, tunnel: Tunnel | None, cookie: int) -> Iterator[Flow]:
    """The flows that hand the port what other hosts have copied for it, and nobody else."""
    if tunnel is None or not tunnel.copies.taps:
        return
    for number in wired.tap_numbers:
        what = match(in_port=tunnel.copies.taps, tun_id=number)
        yield Flow(p.CLASSIFY, p.PRIORITY.normal, what, apply(*wired.handed), cookie)


def host(cookie: int) -> Iterator[Flow]:
    """An answer goes back to where the question came from; a frame has one tag at most."""
    back = apply(output(IN_PORT))
    yield Flow(p.RETURN, p.PRIORITY.low, match(), back, cookie)
    tagged = [match(vlan_vid=(VLAN_PRESENT, VLAN_PRESENT))]
    for what in (*tagged, *(match(eth_type=each) for each in TAGS)):
        yield Flow(p.PORT_SEC_L2, p.PRIORITY.guard, what, DROP, cookie)


def network(network: Network, tunnel: Tunnel, cookie: int) -> Iterator[Flow]:
    """The flow that takes a network's packets from other hosts; only local ports get them."""
    instructions = apply(_FROM_TUNNEL, goto=p.L2_DST, metadata=(network.vni, _VNI_FULL))
    what = match(in_port=tunnel.ofport, tun_id=network.vni, vlan_vid=UNTAGGED)
    yield Flow(p.CLASSIFY, p.PRIORITY.normal, what, instructions, cookie)
