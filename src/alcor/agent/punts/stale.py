"""Connections that the tracker translates as they began, and that may no longer go that way.

Such as those of a machine whose floating IP has gone, or to one that another machine has now. Flows
let none of their packets pass; this says which connection a packet is of. Pure.
"""

from alcor.ovs.fields import IP_PROTO_SCTP, IP_PROTO_TCP, IP_PROTO_UDP
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.openflow.tracking import Opening


def opening(packet: PacketIn) -> Opening:
    """What opened the packet's connection; of pings all that are between the two, as a packet
    says nothing of the identifier that the tracker knows it by."""
    source, destination = packet.field("ct_nw_src"), packet.field("ct_nw_dst")
    protocol = packet.field("ct_nw_proto")
    if protocol not in (IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP):
        return Opening(source, destination)
    ports = packet.field("ct_tp_src"), packet.field("ct_tp_dst")
    return Opening(source, destination, protocol, *ports)
