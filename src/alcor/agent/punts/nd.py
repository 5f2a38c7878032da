"""Finishes advertisements where flows can't, which is with the kernel's datapath.

Flows have made of a solicitation all else: who says it, to whom, and of which address. Pure: the
packet in, the frame or `Malformed` out. Source: RFC 4861 sections 4.4 and 7.2.4.
"""

from alcor.agent.announcements.herald import Outgoing, uplink_actions
from alcor.agent.model.model import HostModel
from alcor.agent.packets.advertisement import ALL_NODES, hops_required
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.ipv6 import PROTOCOL_ICMPV6, parse_packet
from alcor.agent.pipeline import pipeline as p
from alcor.ovs import frames
from alcor.ovs.openflow.packets import PacketIn

_ADVERTISE, _TARGET_LINK_LAYER = 136, 2
_ROUTER, _SOLICITED, _OVERRIDE = 1 << 31, 1 << 30, 1 << 29
_bytes_min = 24  # of a solicitation: its head and the target


def finished(packet: PacketIn) -> bytes:
    """The frame for who asked, with flags and the link-layer address."""
    half = parse_packet(packet.data)
    body = half.payload
    if half.protocol != PROTOCOL_ICMPV6 or len(body) < _bytes_min or body[0] != _ADVERTISE:
        raise Malformed("no advertisement")
    if half.hops != hops_required:
        raise Malformed("asked from beyond the link")
    # Who asked from no address (duplicate address detection) is told by multicast.
    to, kind = (half.ip_dst, _SOLICITED) if half.ip_dst else (ALL_NODES, 0)
    by_router = _ROUTER if packet.field(p.FLAGS) & p.BY_ROUTER[1] else 0
    target = int.from_bytes(body[8:24], "big")
    option, flags = (_TARGET_LINK_LAYER, half.eth_src), by_router | kind | _OVERRIDE
    said = frames.neighbour(_ADVERTISE, half.ip_src, to, target, option, flags)
    return frames.ip_frame(half.eth_dst, half.eth_src, said)


def answer_outside(packet: PacketIn, model: HostModel) -> Outgoing:
    """The same for who asked by an uplink, and the way there."""
    vni = packet.field(p.VNI)
    network = next((each for each in model.networks.values() if each.vni == vni), None)
    actions = uplink_actions(model, network) if network is not None else ()
    if not actions:
        raise Malformed("the uplink has gone")
    return Outgoing(finished(packet), actions)
