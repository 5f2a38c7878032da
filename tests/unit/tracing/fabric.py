"""Hosts in memory that hold what the planner makes of records, and packets through all of them.

Each host's flows are compiled from the slices that concern it (who has an uplink holds all) and
carried out by the switch simulator; what leaves by a tunnel or by an uplink enters other hosts by
theirs.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tests.fixtures.compiled import compile_all

from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state import codec
from alcor.goal_state.slices import slice_of
from alcor.intent.records import (
    TYPE_BY_KIND,
    NodeRecord,
    PortRecord,
    Record,
    key,
)
from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import SetField
from alcor.ovs.switch import Punted, Sent, Step, Switch
from alcor.ovs.tracker import Tracker
from alcor.planner.graph import IntentChange, Planner
from alcor.tracing.packet import TCP, UDP, Packet
from alcor.values.addresses import Address, Mac, address, mac

_KIND_BY_TYPE = {type_: kind for kind, type_ in TYPE_BY_KIND.items()}
TUNNEL, UPLINK = 1000, 2000  # ofports on every host
_SYN, _ALL_NODES = 0x02, 0x3333_0000_0001
_TYPES = {FIELD_BY_NAME[name].place for name in ("icmpv4_type", "icmpv6_type")}
OUTSIDE_MAC = mac("02:00:00:00:ff:ff")


class Fate(NamedTuple):
    """Where a packet ended: what became of it, at which stage, at which port, from whom."""

    what: str  # delivered, punted, left, dropped, answered
    stage: str
    port_id: str = ""
    source: str = ""


class Fabric:
    """Everybody's switches."""

    def __init__(
        self, records: Iterable[Record], outside: Iterable[tuple[str, Address]] = ()
    ) -> None:
        """`outside` has been found by hosts with an uplink: networks and addresses."""
        every, self._outside = list(records), tuple(outside)
        self.ports = {each.id: each for each in every if isinstance(each, PortRecord)}
        self._nodes = {each.id: each for each in every if isinstance(each, NodeRecord)}
        numbers = {id_: number for number, id_ in enumerate(sorted(self.ports), start=1)}
        # By which interface, and with which tag: sub-ports of trunks share their parents'.
        self._places = {
            each.id: (numbers[each.parent_id or each.id], each.segmentation_id)
            for each in self.ports.values()
        }
        self._planner = Planner()
        for record in every:
            name = key(_KIND_BY_TYPE[type(record)], record.id)
            self._planner.apply(IntentChange(name, record, 1))
        self._models = {host: self._model(node) for host, node in self._nodes.items()}
        self._switches = {
            host: Switch(compile_all(model).values()) for host, model in self._models.items()
        }
        self._trackers = {host: Tracker() for host in self._nodes}

    def _model(self, node: NodeRecord) -> HostModel:
        model = HostModel()
        model.set_tunnel(Tunnel(TUNNEL, address(node.tunnel_ip)))
        model.exits.set_uplinks(dict.fromkeys(node.physical_networks, UPLINK))
        for name, value in self._planner.goal.items():
            if self._planner.index.concerns(node.id, slice_of(name)):
                model.put(codec.decode(name, value))
        for network_id, found in self._outside if node.physical_networks else ():
            model.exits.set_resolved(network_id, found, OUTSIDE_MAC)
        for port in self.ports.values():
            if port.host == node.id and not port.parent_id:
                model.set_interface(port.id, Interface(self._places[port.id][0], True))
        return model

    def send(self, port_id: str, hop: Address, packet: Packet) -> Fate:
        """What becomes of a packet that a machine sends by this next hop, which it asks for."""
        port = self.ports[port_id]
        found = self._ask(port, hop, packet.source)
        if found is None:
            return Fate("dropped", "ARP_ND")
        frame = frames.ip_frame(found, mac(port.mac_address), datagram(packet))
        ofport, tag = self._places[port_id]
        return self._through(port.host, _tagged(frame, tag), ofport, {})

    def _ask(self, port: PortRecord, hop: Address, source: Address) -> Mac | None:
        """The MAC that is answered for an address."""
        own = mac(port.mac_address)
        if hop.version == 4:
            asks = frames.arp(1, own, source.number, hop.number, src=own)
        else:
            solicit = frames.neighbour(135, source.number, hop.number, hop.number, (1, own))
            asks = frames.ip_frame(_ALL_NODES, own, solicit)
        ofport, tag = self._places[port.id]
        trace = self._switches[port.host].trace(_tagged(asks, tag), ofport, {})
        # What nobody here knows is asked of others and outside, where nobody answers.
        answers = [each.packet["eth_src"] for each in trace.sent if each.packet["eth_dst"] == own]
        # Who is asked himself answers.
        answers += [each.packet["eth_dst"] for each in trace.sent if _is_for_one(each)]
        return Mac(answers[0]) if answers else None

    def _through(self, host: str, frame: bytes, in_port: int, fields: Mapping[str, int]) -> Fate:
        trace = self._switches[host].trace(frame, in_port, fields, tracker=self._trackers[host])
        for stage in _answering(trace.steps):
            return Fate("answered", stage)
        stage = p.STAGE_BY_TABLE[trace.tables[-1]].name
        if not trace.outcomes:
            return Fate("dropped", stage)
        (outcome,) = trace.outcomes
        if isinstance(outcome, Punted):
            return Fate(outcome.userdata.decode(), stage)
        return self._sent(host, outcome, stage)

    def _sent(self, host: str, sent: Sent, stage: str) -> Fate:
        version = 4 if sent.packet["eth_type"] == 0x0800 else 6
        source = str(Address(version, sent.packet[f"ipv{version}_src"]))
        if sent.port == TUNNEL:
            remote = Address(4, sent.fields["tun_dst"])
            there = next(e.id for e in self._nodes.values() if address(e.tunnel_ip) == remote)
            fields = {"tun_id": sent.fields["tun_id"], "tun_src": 1}
            return self._through(there, sent.packet.frame, TUNNEL, fields)
        if sent.port == UPLINK:
            return self._on_the_wire(host, sent.packet.frame, source)
        place = sent.port, sent.packet["vlan_vid"] & 0xFFF
        port_id = next(id_ for id_, each in self._places.items() if each == place)
        return Fate("delivered", stage, port_id, source)

    def _on_the_wire(self, sender: str, frame: bytes, source: str) -> Fate:
        """On the physical network: whoever has the MAC takes it, or somebody outside."""
        every = (each for each in self._nodes.values() if each.physical_networks)
        fates = [self._through(each.id, frame, UPLINK, {}) for each in every if each.id != sender]
        taken = [fate for fate in fates if fate.stage not in ("CLASSIFY", "L2_DST")]
        assert len(taken) <= 1, "two hosts take it"
        return taken[0] if taken else Fate("left", "UPLINK_OUT", source=source)


def _is_for_one(sent: Sent) -> bool:
    """Whether it is a solicitation that goes to one machine."""
    return sent.packet["icmpv6_type"] == 135 and not sent.packet["eth_dst"] >> 40 & 1


def _tagged(frame: bytes, tag: int) -> bytes:
    return frame[:12] + struct.pack("!HH", 0x8100, tag) + frame[12:] if tag else frame


def _answering(steps: Iterable[Step]) -> Iterator[str]:
    """The stage at which an echo request is turned into its answer."""
    for step in steps:
        stage = p.STAGE_BY_TABLE[step.table].name
        if step.flow is not None and stage in ("ROUTER_IN", "SERVICES"):
            actions = step.flow.instructions.actions
            if any(isinstance(each, SetField) and each.field in _TYPES for each in actions):
                yield stage


def datagram(packet: Packet) -> bytes:
    """The bytes of a packet."""
    protocol = packet.protocol
    numbers = packet.source.number, packet.destination.number
    ports = packet.source_port, packet.destination_port
    version = packet.version
    if packet.is_icmp:
        make = frames.icmp4 if version == 4 else frames.icmp6
        return make(*numbers, packet.icmp_type, packet.icmp_code, bytes(8), packet.ttl)
    if protocol == UDP:
        make_udp = frames.udp4 if version == 4 else frames.udp6
        header = 28 if version == 4 else 48
        return make_udp(*numbers, *ports, bytes(packet.size - header), packet.ttl)
    assert protocol == TCP
    if version == 4:
        return frames.tcp4(*numbers, *ports, _SYN, b"", 1, 0, packet.ttl)
    return frames.tcp6(*numbers, *ports, _SYN, b"", 1, 0, packet.ttl)
