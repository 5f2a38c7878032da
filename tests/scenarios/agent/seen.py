"""What became of packets, in a scenario's words. See test_agent_scenarios.py."""

from collections.abc import Iterator
from typing import Any

from alcor.agent.features.routers import metering
from alcor.agent.model.model import HostModel
from alcor.agent.model.ports.meter import LIMITS
from alcor.agent.packets import dhcp6
from alcor.agent.packets.ipv6 import parse_packet
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.decisions import line_of
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.ovs.switch import Punted, Trace
from alcor.values.addresses import Address, mac_text


def measured(model: HostModel, meter: int) -> str:
    """Which limit of which port a meter is: the number says so."""
    slot = (meter - LIMITS) >> 2
    (port,) = (id_ for id_ in model.ports if model.wired(id_) and model.qos.slot(id_) == slot)
    unit, way = ("kbps", "pps")[meter & 1], ("out of", "into")[meter >> 1 & 1]
    return f"{unit} {way} {port}, "


def logged(model: HostModel, punted: Punted) -> str:
    """What is written down of a copy."""
    assert punted.flow is not None
    places = {FIELD_BY_NAME[name].place: value for name, value in punted.fields.items()}
    packet = PacketIn(punted.packet.frame, punted.flow.table, 0, 1, places, punted.userdata)
    line = line_of(packet, model)
    if line is None:
        return "not logged, "
    logs: Any = line["log_resource_ids"]
    return f"logged {line['action']} {line['direction']} {line['vm_port']} in {'+'.join(logs)}, "


def summary6(frame: bytes) -> str:
    packet = parse_packet(frame)
    if packet.protocol != 17:
        flags = packet.payload[5]
        prefixes = [
            str(Address(6, int.from_bytes(option[16:32], "big")))
            for option in _ra_options(packet.payload[16:])
            if option[0] == 3
        ]
        words = "managed" * bool(flags & 0x80) + "other" * bool(flags & 0x40) or "plain"
        return f"ra {words} of {' '.join(prefixes)}"
    message = dhcp6.parse_message(packet.payload[8:])
    given = [str(Address(6, each)) for ia in message.associations() for each in ia.addresses]
    return " ".join(["dhcp6", dhcp6.MessageType(message.kind).name, *given])


def _ra_options(data: bytes) -> Iterator[bytes]:
    while data:
        yield data[: data[1] * 8]
        data = data[data[1] * 8 :]


def labels(model: HostModel, trace: Trace) -> Iterator[str]:
    """The labels that a packet was counted under."""
    hit = {step.flow for step in trace.steps if step.table == p.METERED}
    for label_id in sorted(model.metering.labels()):
        for rule, flow in metering.flows(model.metering.rules_of(label_id), 0):
            if not rule.excluded and any(each and each[:3] == flow[:3] for each in hit):
                yield f"{label_id} {'in' if rule.ingress else 'out'}"


def last_stage(trace: Trace) -> str:
    return p.STAGE_BY_TABLE[trace.tables[-1]].name


def summary(packet: Packet) -> str:
    if packet["arp_op"]:
        return f"arp {Address(4, packet['arp_spa'])} is {mac_text(packet['arp_sha'])}"
    if packet["eth_type"] == 0x0800:
        who, to = Address(4, packet["ipv4_src"]), mac_text(packet["eth_dst"])
        return f"icmp {packet['icmpv4_type']}/{packet['icmpv4_code']} from {who} for {to}"
    if packet["icmpv6_type"] and packet["icmpv6_type"] != 136:
        who, to = Address(6, packet["ipv6_src"]), mac_text(packet["eth_dst"])
        return f"icmp6 {packet['icmpv6_type']}/{packet['icmpv6_code']} from {who} for {to}"
    target = Address(6, packet["nd_target"])
    flags = "solicited" if packet["nd_reserved"] >> 30 & 1 else "to all"
    return f"nd {target} is {mac_text(packet['eth_src'])}, {flags}"
