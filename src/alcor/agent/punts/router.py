"""Tells who sent what a router can't forward: out of hops, no route, no host, too large ...

Pings of the router itself that come in fragments are answered here: flows see no type of theirs.

Pure: the packet and the model in, the answer or the reason for silence out.
"""

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.model.model import HostModel, Wired
from alcor.agent.model.routers.routing import Leg, RouterView
from alcor.agent.packets.icmp import Ends, Error, answered_piece, is_piece, refuse
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.fields import ETH_TYPE_IPV6
from alcor.ovs.flow import Resubmit, set_field
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address

_ERROR_BY_FAULT = {
    p.Fault.TTL: Error.TIME_EXCEEDED,
    p.Fault.NO_ROUTE: Error.NO_ROUTE,
    p.Fault.NO_HOST: Error.NO_HOST,
    p.Fault.NO_SERVICE: Error.NO_PORT,
    p.Fault.TOO_BIG: Error.TOO_BIG,
}


def answer(packet: PacketIn, model: HostModel, wired: Wired) -> bytes:
    """The frame for the port that sent the packet; `Malformed` when nothing is to be said."""
    view = _router_of(packet, model)
    sender = _sender(packet)
    near = next(iter(_legs_at(view, wired.network.vni, sender)), view.legs[0])
    source = _source(view, packet.field(p.VNI), sender)
    return _told(packet, model, view, Ends(near.mac, wired.port.mac, source))


def answer_outside(packet: PacketIn, model: HostModel) -> Outgoing:
    """The same for a packet that came by an uplink: the router sends it, as any other packet; of
    several ways out by that which the packet came by.

    IPv4 in the name of whom the packet was for, so that it leaves where he does and is translated
    as the connection is that it is about. `Malformed` as above.
    """
    view = _router_of(packet, model)
    leg = view.legs[0]
    if _version(packet) == 4:
        source = Address(4, Packet(packet.data)["ipv4_dst"])
    else:
        source = _source(view, packet.field(p.VNI), _sender(packet))
    frame = _told(packet, model, view, Ends(leg.mac, leg.mac, source))
    high, low = p.ROUTER
    back = (
        set_field(high, view.key >> 32),
        set_field(low, view.key & 0xFFFF_FFFF),
        set_field(p.VNI, leg.network.vni),
        set_field(p.FLAGS, packet.field(p.FLAGS) & p.CAME_BY_MASK, p.CAME_BY_MASK),
        Resubmit(p.ROUTE),
    )
    return Outgoing(frame, back)


def _told(packet: PacketIn, model: HostModel, view: RouterView, ends: Ends) -> bytes:
    """The answer to a piece of a ping of the router, or why a packet goes no further."""
    frame = Packet(packet.data)
    if _fault(packet) == p.Fault.NO_SERVICE and is_piece(frame):
        version = _version(packet)
        asked = Address(version, frame[f"ipv{version}_dst"])
        own = [address for leg in view.legs for address in leg.addresses(version)]
        own += [address for exit_ in view.exits for address in exit_.addresses(version)]
        if asked in own:
            return answered_piece(frame, ends)
    return _refuse(packet, model, ends)


def _router_of(packet: PacketIn, model: HostModel) -> RouterView:
    high, low = (packet.field(name) for name in p.ROUTER)
    view = model.router(model.routing.router_of(high << 32 | low))
    if view is None or not view.legs:
        raise Malformed("the router has gone")
    return view


def _version(packet: PacketIn) -> int:
    return 6 if packet.data[12:14] == ETH_TYPE_IPV6.to_bytes(2, "big") else 4


def _refuse(packet: PacketIn, model: HostModel, ends: Ends) -> bytes:
    number = _fault(packet)
    if number not in _ERROR_BY_FAULT:
        raise Malformed(f"fault {number}")
    vni = packet.field(p.VNI)
    mtu = next((each.mtu for each in model.networks.values() if each.vni == vni), 0)
    error = _ERROR_BY_FAULT[p.Fault(number)]
    return refuse(packet.data, error, ends, mtu if error is Error.TOO_BIG else 0)


def _fault(packet: PacketIn) -> int:
    return (packet.field(p.FLAGS) & p.FAULT_MASK) >> 8


def _sender(packet: PacketIn) -> Address:
    version = _version(packet)
    return Address(version, Packet(packet.data)[f"ipv{version}_src"])


def _source(view: RouterView, vni: int, sender: Address) -> Address:
    """The router's address on the side where the packet was last; else another of its."""
    for leg in (*_legs_at(view, vni, sender), *view.legs):
        for address in leg.addresses(sender.version):
            return address
    raise Malformed("the router has no address of this family")


def _legs_at(view: RouterView, vni: int, sender: Address) -> list[Leg]:
    """The legs on a network; first that on the subnet of who sent the packet."""
    there = [leg for leg in view.legs if leg.network.vni == vni]
    return sorted(there, key=lambda leg: not any(each.covers(sender) for each in leg.prefixes))
