"""Tells who sent what a router can't forward: out of hops, no route, no host, nothing to say.

Pure: the packet and the model in, the answer or the reason for silence out.
"""

from alcor.agent import pipeline as p
from alcor.agent.model import HostModel, Wired
from alcor.agent.packets.icmp import Ends, Error, refuse
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.routing import Leg, RouterView
from alcor.ovs.fields import ETH_TYPE_IPV6
from alcor.ovs.openflow.packets import PacketIn
from alcor.values.addresses import Address

_ERROR_BY_FAULT = {
    p.Fault.TTL: Error.TIME_EXCEEDED,
    p.Fault.NO_ROUTE: Error.NO_ROUTE,
    p.Fault.NO_HOST: Error.NO_HOST,
    p.Fault.NO_SERVICE: Error.NO_PORT,
}


def answer(packet: PacketIn, model: HostModel, wired: Wired) -> bytes:
    """The frame for the port that sent the packet; `Malformed` when nothing is to be said."""
    number = (packet.field(p.FLAGS) & p.FAULT_MASK) >> 8
    if number not in _ERROR_BY_FAULT:
        raise Malformed(f"fault {number}")
    high, low = (packet.field(name) for name in p.ROUTER)
    view = model.router(model.routing.router_of(high << 32 | low))
    if view is None:
        raise Malformed("the router has gone")
    version = 6 if packet.data[12:14] == ETH_TYPE_IPV6.to_bytes(2, "big") else 4
    source = _source(view, packet.field(p.VNI), version)
    near = _leg_on(view, wired.network.vni)
    ends = Ends(near.mac if near else view.legs[0].mac, wired.port.mac, source)
    return refuse(packet.data, _ERROR_BY_FAULT[p.Fault(number)], ends)


def _source(view: RouterView, vni: int, version: int) -> Address:
    """The router's address on the side where the packet was last; else another of its."""
    last = _leg_on(view, vni)
    for leg in (*([last] if last else []), *view.legs):
        for address in leg.addresses(version):
            return address
    raise Malformed("the router has no address of this family")


def _leg_on(view: RouterView, vni: int) -> Leg | None:
    return next((leg for leg in view.legs if leg.network.vni == vni), None)
