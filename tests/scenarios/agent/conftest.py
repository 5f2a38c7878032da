"""Worlds of hosts in memory, and where packets go in them.

Every host's flows are compiled from its own model and carried out by the switch simulator; what
leaves by a tunnel enters the other host's. See test_agent_scenarios.py for the language.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from tests.fixtures.compiled import compile_all

from alcor.agent.features.routers import metering
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.agent.model.ports.meter import LIMITS
from alcor.agent.model.ports.monitoring import Ports
from alcor.agent.packets import dhcp6
from alcor.agent.packets.dhcp import Message, MessageType, Option, build_message, parse_message
from alcor.agent.packets.ipv4 import parse_datagram
from alcor.agent.packets.ipv6 import parse_packet
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts import nd, router
from alcor.agent.punts.decisions import line_of
from alcor.agent.punts.responder import Responder
from alcor.goal_state.entries import (
    AclLog,
    AclRule,
    Addresses,
    AddressPair,
    FixedIp,
    FloatingIp,
    Forwarding,
    Gateway,
    GoalEntry,
    Group,
    GroupLog,
    Ipv6Mode,
    Limit,
    Member,
    MeteringRule,
    Mirror,
    Neighbour,
    Network,
    Port,
    PortLog,
    QosPolicy,
    Route,
    Router,
    RouterInterface,
    Rule,
    Subnet,
    SubnetAcl,
    Tap,
    TapFlow,
    UplinkNode,
)
from alcor.goal_state.slices import EVERYBODY
from alcor.ovs import frames
from alcor.ovs.fields import ETH_TYPE_IPV6, FIELD_BY_NAME
from alcor.ovs.flow import Flow, apply, match
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.ovs.switch import Punted, Sent, Switch, Trace
from alcor.ovs.tracker import Tracker
from alcor.values.addresses import (
    Address,
    Mac,
    Prefix,
    address,
    eui64_link_local,
    mac,
    mac_text,
    prefix,
)
from alcor.values.protocols import protocol_number

TUNNEL, UPLINK = 100, 200  # ofports on every host
MIRRORS, TAPS = {300: "gre", 301: "erspan"}, 302
ALL_NODES, ALL_NODES_MAC = address("ff02::1").number, 0x3333_0000_0001
_TCP_FLAGS = {"syn": 0x02, "synack": 0x12, "ack": 0x10}
ALL_SERVERS, ALL_SERVERS_MAC = address("ff02::1:2").number, 0x3333_0001_0002


class Nic(NamedTuple):
    """A port of the world, and where it is plugged."""

    port: Port
    host: str
    ofport: int
    plugged: bool

    def number(self, version: int) -> int:
        """Its first address of a family; 0 when it has none."""
        every = [each.address for each in self.port.fixed_ips if each.address.version == version]
        return every[0].number if every else 0


@dataclass
class World:
    """Hosts, networks and ports by the names that the scenario gives them."""

    endpoints: dict[str, Address] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    nics: dict[str, Nic] = field(default_factory=dict)
    routers: dict[str, Router] = field(default_factory=dict)
    interfaces: list[RouterInterface] = field(default_factory=list)
    uplinks: dict[str, str] = field(default_factory=dict)  # physical networks by host
    gateways: list[Gateway] = field(default_factory=list)
    floating: list[FloatingIp] = field(default_factory=list)
    forwardings: list[Forwarding] = field(default_factory=list)
    trackers: dict[str, Tracker] = field(default_factory=dict)
    security: dict[tuple[str, str], GoalEntry] = field(default_factory=dict)
    counted: list[str] = field(default_factory=list)  # the labels of the last packet
    datapath_type: str = "netdev"  # of every host

    def declare(self, words: list[str]) -> None:
        """Take one line of the world."""
        kind, name, *rest = words
        plain = [word for word in rest if "=" not in word]
        said = dict(word.split("=", 1) for word in rest if "=" in word)
        match kind:
            case "host":
                self.endpoints[name] = address(plain[0])
                self.trackers[name] = Tracker()
                if "uplink" in said:
                    self.uplinks[name] = said["uplink"]
            case "network":
                outside = (said.get("physical", ""), int(said.get("vlan", "0")))
                up = "down" not in plain
                made = Network(name, int(plain[0]), int(said.get("mtu", "1450")), up, "", *outside)
                self.networks[name] = made._replace(qos_policy_id=said.get("qos", ""))
            case "subnet":
                gateway = address(said["gateway"]) if "gateway" in said else None
                dhcp = "nodhcp" not in plain
                modes = (
                    Ipv6Mode[said.get("ra", "none").upper()],
                    Ipv6Mode[said.get("dhcp6", "none").upper()],
                )
                where = prefix(plain[1])
                scope = said.get("scope", "")
                self.subnets[name] = Subnet(
                    name, plain[0], where, gateway, dhcp, (), (), *modes, scope
                )
            case "port":
                self._declare_port(name, plain, said)
            case "outside":
                network, *rest = plain
                self._declare_port(name, [network, "", *rest], said)
            case "acl":
                acl_id, number, way, verdict, version, *protocols = [name, *plain]
                self.security[kind, f"{acl_id}/{way}/{number}"] = AclRule(
                    id=f"{way}/{number}",
                    acl_id=acl_id,
                    number=int(number),
                    ingress=way == "in",
                    allow=verdict == "allow",
                    version=int(version),
                    peer=prefix(said["peer"]) if "peer" in said else None,
                    protocol=protocol_number(protocols[0]) if protocols else None,
                    ports=_rule_ports(said),
                    icmp_type=int(said["type"]) if "type" in said else None,
                )
            case "policy":
                self.security[kind, name] = _policy(name, said)
            case "edge":
                network_id = self.subnets[name].network_id
                self.security[kind, name] = SubnetAcl(network_id, name, plain[0])
            case "group" | "addresses" | "rule":
                self.security[kind, name] = _security(kind, name, plain, said)
            case "gone":
                del self.security[name, plain[0]]
            case "join":
                self._join(name, said)
            case "mirror":
                ends = (int(said[way]) if way in said else None for way in ("in", "out"))
                erspan = "erspan" in plain
                self.security[kind, name] = Mirror(
                    name, "here", plain[0], address(plain[1]), erspan, *ends
                )
            case "tap":
                self.security[kind, name] = Tap(name, "here", plain[0], int(plain[1]))
            case "tapflow":
                self.security[kind, name] = self._tap_flow(name, plain)
            case "log":
                port_id, group_id = said.get("port"), said.get("group", "")
                wanted = ("accept" in plain, "drop" in plain)
                if "acl" in said:
                    self.security[kind, name] = AclLog(name, said["acl"], *wanted)
                elif port_id:
                    self.security[kind, name] = PortLog(name, "here", port_id, group_id, *wanted)
                else:
                    self.security[kind, name] = GroupLog(name, group_id, *wanted)
            case "meter":
                self._declare_meter(name, plain, said)
            case "router":
                self.routers[name] = Router(name, "down" not in plain, (), "nosnat" not in plain)
            case "gateway":
                network, mac_word, *addresses = plain
                fixed = tuple(self._fixed(network, word) for word in addresses)
                self.gateways.append(Gateway(f"gw-{name}", name, network, mac(mac_word), fixed))
            case "forwarding":
                protocol, outer, inner_address, inner = plain[1:]
                self.forwardings.append(
                    Forwarding(name, plain[0], {"tcp": 6, "udp": 17}[protocol], _ports(outer),
                               address(inner_address), _ports(inner))
                )  # fmt: skip
            case "floating" if len(plain) == 4:
                router, network, mac_word, outer = plain
                self.floating.append(
                    FloatingIp(name, router, network, mac(mac_word), address(outer), "", None)
                )
            case "floating":
                router, network, mac_word, outer, port_id, inner = plain
                self.floating.append(
                    FloatingIp(name, router, network, mac(mac_word), address(outer), port_id,
                               address(inner))
                )  # fmt: skip
            case "interface":
                network, mac_word, *addresses = plain
                fixed = tuple(self._fixed(network, word) for word in addresses)
                number = str(len(self.interfaces))
                self.interfaces.append(RouterInterface(number, name, network, mac(mac_word), fixed))
            case "route":
                led, route = self.routers[name], Route(prefix(plain[0]), address(plain[1]))
                self.routers[name] = led._replace(routes=(*led.routes, route))
            case _:
                raise ValueError(f"what is a {kind}?")

    def _declare_meter(self, name: str, plain: list[str], said: dict[str, str]) -> None:
        label, way, *excluded = plain
        ends = (prefix(said[end]) if end in said else None for end in ("from", "to"))
        rule = MeteringRule(name, label, EVERYBODY, way == "in", bool(excluded), *ends)
        self.security["meter", name] = rule

    def _tap_flow(self, name: str, words: list[str]) -> TapFlow:
        """A flow to a tap, on the host of its port and of what else is said."""
        source, tap_name, *ways = words
        tap = self.security["tap", tap_name]
        assert isinstance(tap, Tap)
        hosts = (self.nics[tap.port_id].host, *(each for each in ways if each in self.endpoints))
        ends = tuple(self.endpoints[host] for host in hosts)
        sides = ("in" in ways, "out" in ways)
        return TapFlow(name, "here", source, tap.port_id, tap.number, ends, *sides)

    def _join(self, name: str, said: dict[str, str]) -> None:
        """A port that changes its groups, or is filtered no more."""
        nic = self.nics[name]
        self.nics[name] = nic._replace(port=nic.port._replace(**_filtered(said)))

    def _declare_port(self, name: str, words: list[str], said: dict[str, str]) -> None:
        network, host, mac_word, *rest = words
        switches = {"insecure", "down", "unplugged"}
        fixed = tuple(self._fixed(network, word) for word in rest if word not in switches)
        up, secure = "down" not in rest, "insecure" not in rest
        pairs = tuple(map(_pair, said["pairs"].split(","))) if "pairs" in said else ()
        parent, vlan = said.get("parent", ""), int(said.get("vlan", "0"))
        port = Port(
            name,
            network,
            mac(mac_word),
            fixed,
            up,
            secure,
            name,
            "",
            address_pairs=pairs,
            parent_id=parent,
            vlan=vlan,
            qos_policy_id=said.get("qos", ""),
            **_filtered(said),
        )
        ofport = self.nics[parent].ofport if parent else len(self.nics) + 1
        self.nics[name] = Nic(port, host, ofport, "unplugged" not in rest)

    def _fixed(self, network: str, text: str) -> FixedIp:
        parsed = address(text)
        subnets = (each for each in self.subnets.values() if each.network_id == network)
        subnet = next((each.id for each in subnets if each.prefix.covers(parsed)), "")
        return FixedIp(subnet, parsed)

    def model(self, host: str) -> HostModel:
        """What the agent of a host knows: its ports, and their networks whole."""
        model = HostModel()
        model.set_datapath_type(self.datapath_type)
        here = self._reached_from(host)
        model.set_tunnel(Tunnel(TUNNEL, self.endpoints[host], Ports(300, 301, TAPS)))
        for network_id in here:
            model.put(self.networks[network_id])
        for subnet in self.subnets.values():
            if subnet.network_id in here:
                model.put(subnet)
        for entry in self.security.values():
            model.put(entry)
        for interface in self.interfaces:
            if interface.network_id in here:
                model.put(interface)
                model.put(self.routers[interface.router_id])
        self._put_outside(model, host, here)
        for name, nic in self.nics.items():
            if nic.port.network_id in here and nic.host:
                model.put(self._neighbour(nic))
            for group_id in nic.port.security_groups:
                model.put(Member(group_id, name, tuple(map(_whole, nic.port.fixed_ips))))
            if nic.host == host:
                model.put(nic.port)
                if nic.plugged and not nic.port.parent_id:
                    model.set_interface(name, Interface(nic.ofport, True))
        return model

    def _reached_from(self, host: str) -> set[str]:
        """The networks that a host's ports lead to, by routers too."""
        here = {nic.port.network_id for nic in self.nics.values() if nic.host == host}
        size = 0
        while size != len(here):
            size = len(here)
            routers = {each.router_id for each in self.interfaces if each.network_id in here}
            here |= {each.network_id for each in self.interfaces if each.router_id in routers}
        return here | {each.network_id for each in self.gateways if each.router_id in routers}

    def _put_outside(self, model: HostModel, host: str, here: set[str]) -> None:
        """What the agent knows of the world outside; who is there has been found already."""
        for gateway in self.gateways:
            if gateway.network_id in here:
                model.put(gateway)
        for floating in self.floating:
            if floating.network_id in here:
                model.put(floating)
        for forwarding in self.forwardings:
            model.put(forwarding)
        for node, name in self.uplinks.items():
            model.put(UplinkNode(name, node, self.endpoints[node]))
        if host in self.uplinks:
            model.exits.set_uplinks({self.uplinks[host]: UPLINK})
        for nic in self.nics.values():
            if not nic.host and nic.plugged:
                for fixed in nic.port.fixed_ips:
                    model.exits.set_resolved(nic.port.network_id, fixed.address, nic.port.mac)

    def _neighbour(self, nic: Nic) -> Neighbour:
        addresses = tuple(fixed.address for fixed in nic.port.fixed_ips)
        endpoint = self.endpoints[nic.host]
        port = nic.port
        return Neighbour(port.id, port.network_id, port.mac, addresses, nic.host, endpoint)

    def fate(self, sender: str, words: list[str]) -> str:
        """Where a packet ends: `sender` is a port, or `tunnel HOST VNI` for what comes in there."""
        plain = [word for word in words if "=" not in word]
        said = dict(word.split("=", 1) for word in words if "=" in word)
        if sender.startswith(("tunnel ", "copies ")):
            way, host, vni = sender.split()
            nic = self.nics[said.pop("from")]
            fields = {"tun_id": int(vni), "tun_src": 1}
            port = TUNNEL if way == "tunnel" else TAPS
            return self._send(host, self._frame(nic, plain, said), port, fields)
        nic = self.nics[sender]
        self.counted.clear()
        if nic.port.vlan:
            said.setdefault("vlan", str(nic.port.vlan))
        if nic.host:
            fate = self._send(nic.host, self._frame(nic, plain, said), nic.ofport, {})
        else:
            fate = self._on_the_wire("", self._frame(nic, plain, said))
        return f"{fate}, counted as {', '.join(self.counted)}" if self.counted else fate

    def _on_the_wire(self, sender: str, frame: bytes) -> str:
        """Where a frame ends that is on the physical network, sent by a host or by nobody here."""
        packet = Packet(frame)
        for name, nic in self.nics.items():
            if not nic.host and nic.port.mac == packet["eth_dst"]:
                version = 4 if packet["ipv4_src"] else 6
                tag = f" in VLAN {packet['vlan_vid'] & 0xFFF}" if packet["vlan_vid"] else ""
                source = Address(version, packet[f"ipv{version}_src"])
                return f"leaves by {sender} as {source} to {name}{tag}"
        fates = [self._send(host, frame, UPLINK, {}) for host in self.uplinks if host != sender]
        heard = [fate for fate in fates if not fate.startswith("dropped")]
        return " and ".join(heard) or "heard by nobody"

    def _send(self, host: str, frame: bytes, in_port: int, fields: dict[str, int]) -> str:
        model = self.model(host)
        switch, tracker = Switch(compile_all(model).values()), self.trackers[host]
        trace = switch.trace(frame, in_port, fields, tracker=tracker)
        self.counted += _labels(model, trace)
        logged = [each for each in trace.punted if each.userdata in p.LOGGED]
        others = [each for each in trace.outcomes if each not in logged]
        fates = [self._outcome(host, model, in_port, each) for each in others]
        measured = "".join(_measured(model, meter) for meter in trace.meters if meter >= LIMITS)
        measured += "".join(_logged(model, each) for each in logged)
        return measured + (" and ".join(fates) or f"dropped at {_last_stage(trace)}")

    def _outcome(self, host: str, model: HostModel, in_port: int, outcome: Sent | Punted) -> str:
        if isinstance(outcome, Punted):
            if in_port == UPLINK and outcome.userdata == p.PUNT_ROUTER:
                return self._refused_outside(host, model, outcome)
            if in_port == UPLINK and outcome.userdata == p.PUNT_ND:
                return self._advertised_outside(host, model, outcome)
            return self._punted(model, in_port, outcome)
        tag = outcome.packet["vlan_vid"] & 0xFFF
        if outcome.port in MIRRORS:
            where, number = Address(4, outcome.fields["tun_dst"]), outcome.fields["tun_id"]
            return f"copied to {where} as {number} by {MIRRORS[outcome.port]}"
        if outcome.port == TAPS:
            remote = Address(4, outcome.fields["tun_dst"])
            there = next(name for name, each in self.endpoints.items() if each == remote)
            fields = {"tun_id": outcome.fields["tun_id"], "tun_src": self.endpoints[host].number}
            fate = self._send(there, outcome.packet.frame, TAPS, fields)
            return f"copied to {there} ({fate})"
        if outcome.port == in_port and not outcome.packet["udp_dst"]:
            return f"answered: {_summary(outcome.packet)}{f' in VLAN {tag}' if tag else ''}"
        if outcome.port == UPLINK:
            if outcome.packet["arp_op"] == 1 or outcome.packet["icmpv6_type"] == 135:
                return f"asked outside by {host}{f' in VLAN {tag}' if tag else ''}"
            if outcome.packet["arp_op"] or outcome.packet["icmpv6_type"] == 136:
                return f"answered by {host}: {_summary(outcome.packet)}"
            return self._on_the_wire(host, outcome.packet.frame)
        if outcome.port != TUNNEL:
            left = outcome.packet["ip_ttl"]
            aged = "" if left in (0, 64, 255) else f" with ttl {left}"
            to = next(
                name
                for name, nic in self.nics.items()
                if (nic.host, nic.ofport, nic.port.vlan) == (host, outcome.port, tag)
            )
            mark = outcome.packet["ip_dscp"]
            marked = f" marked {mark}" if mark else ""
            return f"delivered to {to}{aged}{marked}{self._translated(to, outcome.packet)}"
        remote = Address(4, outcome.fields["tun_dst"])
        there = next(name for name, each in self.endpoints.items() if each == remote)
        fields = {"tun_id": outcome.fields["tun_id"], "tun_src": self.endpoints[host].number}
        return self._send(there, outcome.packet.frame, TUNNEL, fields)

    def _translated(self, to: str, packet: Packet) -> str:
        """The source of a packet, where it is that of no port inside."""
        version = 4 if packet["ipv4_src"] else 6
        source = Address(version, packet[f"ipv{version}_src"])
        known = (each.address for nic in self.nics.values() for each in nic.port.fixed_ips)
        return "" if not self.gateways or source in known else f" from {source}"

    def _refused_outside(self, host: str, model: HostModel, punted: Punted) -> str:
        """What a router says to somebody outside, and where that ends."""
        places = {FIELD_BY_NAME[name].place: value for name, value in punted.fields.items()}
        told = router.answer_outside(PacketIn(punted.packet.frame, 0, 0, 1, places, b""), model)
        flow = Flow(0, 1, match(), apply(*told.actions))
        trace = Switch([*compile_all(model).values(), flow]).trace(
            told.frame, 0, {}, tracker=self.trackers[host]
        )
        kind = Packet(told.frame)["icmpv4_type"] or Packet(told.frame)["icmpv6_type"]
        fates = [self._outcome(host, model, 0, each) for each in trace.outcomes]
        return f"refused (icmp {kind}): {' and '.join(fates)}"

    def _advertised_outside(self, host: str, model: HostModel, punted: Punted) -> str:
        """What the agent of a host with the kernel's datapath says by its uplink."""
        places = {FIELD_BY_NAME[name].place: value for name, value in punted.fields.items()}
        told = nd.answer_outside(PacketIn(punted.packet.frame, 0, 0, 1, places, b""), model)
        sent = Switch([Flow(0, 1, match(), apply(*told.actions))]).trace(told.frame, 0, {})
        return " and ".join(self._outcome(host, model, UPLINK, each) for each in sent.outcomes)

    def _punted(self, model: HostModel, in_port: int, punted: Punted) -> str:
        if punted.userdata == p.PUNT_SERVICE:
            return "punted to the host's services"
        responder = Responder("", model, Metrics(), 3600)  # type: ignore[arg-type]
        fields = {"in_port": in_port, **punted.fields}
        places = {FIELD_BY_NAME[name].place: value for name, value in fields.items()}
        packet = PacketIn(punted.packet.frame, 0, 0, 1, places, punted.userdata)
        told = responder.answer(packet)
        if told is None:
            return "punted, and not answered"
        frame = told.frame
        if punted.userdata == p.PUNT_ROUTER:
            return f"answered: {_summary(Packet(frame))}"
        if punted.userdata == p.PUNT_ND:
            tag = model.ports[model.port_at(punted.fields[p.PORT_IN])].vlan
            return f"answered: {_summary(Packet(frame))}{f' in VLAN {tag}' if tag else ''}"
        if Packet(frame)["eth_type"] == ETH_TYPE_IPV6:
            return f"answered: {_summary6(frame)}"
        message = parse_message(parse_datagram(frame).payload)
        kind = MessageType(message.type or 0).name
        return f"answered: dhcp {kind} {Address(4, message.yiaddr)}"

    def _frame(self, nic: Nic, words: list[str], said: dict[str, str]) -> bytes:
        verb, *arguments = words
        to = self.nics.get(arguments[0]) if arguments else None
        makers: dict[str, Callable[[], bytes]] = {
            "udp": lambda: _udp(4, nic, to, said),
            "udp6": lambda: _udp(6, nic, to, said),
            "tcp": lambda: _tcp(nic, to, arguments[1], said),
            "unreachable": lambda: _unreachable(nic, to, said),
            "icmp": lambda: _icmp(nic, to, int(arguments[1]), said),
            "ping": lambda: _ping(nic, address(arguments[0]), said),
            "icmp6": lambda: _icmp6(nic, int(arguments[0]), said),
            "arp": lambda: _arp(1, nic, address(arguments[0]).number, said),
            "arp-reply": lambda: _arp(2, nic, to.number(4) if to else 0, said, to),
            "ns": lambda: _neighbour(135, nic, address(arguments[0]).number, said),
            "dad": lambda: _neighbour(
                135, nic, address(arguments[0]).number, {"ip": "::", "sll": "none", **said}
            ),
            "na": lambda: _neighbour(136, nic, address(arguments[0]).number, said),
            "rs": lambda: _icmp6(nic, 133, said),
            "dhcp6": lambda: _dhcp6(nic, dhcp6.MessageType[arguments[0].upper()], said),
            "dhcp": lambda: _dhcp(nic, MessageType[arguments[0].upper()], said),
            "ethertype": lambda: frames.ethernet(
                _mac(said, "dst_mac", ALL_NODES_MAC),
                _mac(said, "mac", nic.port.mac),
                int(arguments[0], 16),
                b"data",
            ),
        }
        return _tagged(makers[verb](), said)


def _tagged(frame: bytes, said: dict[str, str]) -> bytes:
    """With the tags that the scenario names, the outer one first."""
    words = said.get("vlan", "none").split("+")
    for vlan in [int(word) for word in reversed(words) if word != "none"]:
        frame = frame[:12] + b"\x81\x00" + vlan.to_bytes(2, "big") + frame[12:]
    return frame


def _pair(text: str) -> AddressPair:
    whole, _, mac_text = text.partition("@")
    return AddressPair(prefix(whole), mac(mac_text))


def _policy(name: str, said: dict[str, str]) -> QosPolicy:
    limits = [
        Limit(ingress=way == "in", per_packet=unit == "pps", rate=int(said[word]), burst=1)
        for word in said
        if word != "dscp"
        for unit, way in [word.split("-")]
    ]
    return QosPolicy(name, tuple(limits), int(said["dscp"]) if "dscp" in said else None)


def _measured(model: HostModel, meter: int) -> str:
    """Which limit of which port a meter is: the number says so."""
    slot = (meter - LIMITS) >> 2
    (port,) = (id_ for id_ in model.ports if model.wired(id_) and model.qos.slot(id_) == slot)
    unit, way = ("kbps", "pps")[meter & 1], ("out of", "into")[meter >> 1 & 1]
    return f"{unit} {way} {port}, "


def _logged(model: HostModel, punted: Punted) -> str:
    """What is written down of a copy."""
    assert punted.flow is not None
    places = {FIELD_BY_NAME[name].place: value for name, value in punted.fields.items()}
    packet = PacketIn(punted.packet.frame, punted.flow.table, 0, 1, places, punted.userdata)
    line = line_of(packet, model)
    if line is None:
        return "not logged, "
    logs: Any = line["log_resource_ids"]
    return f"logged {line['action']} {line['direction']} {line['vm_port']} in {'+'.join(logs)}, "


def _filtered(said: dict[str, str]) -> dict[str, Any]:
    """The groups of a port; a port that names none, not even none, is not filtered."""
    groups = tuple(each for each in said.get("groups", "").split(",") if each)
    return {"security_groups": groups, "filtered": "groups" in said}


def _whole(fixed: FixedIp) -> Prefix:
    version, number = fixed.address
    return Prefix(version, number, 32 if version == 4 else 128)


def _rule_ports(said: dict[str, str]) -> tuple[int, int] | None:
    first, _, last = said.get("ports", "").partition("-")
    return (int(first), int(last or first)) if first else None


def _security(kind: str, name: str, plain: list[str], said: dict[str, str]) -> GoalEntry:
    """A group, an address group or a rule."""
    if kind == "group":
        return Group(name, "stateless" not in plain)
    if kind == "addresses":
        return Addresses(name, tuple(map(prefix, plain)))
    group, way, version, *protocols = plain
    whom, _, remote = said.get("with", "").partition(":")
    return Rule(
        id=name,
        group_id=group,
        ingress=way == "in",
        version=int(version),
        protocol=protocol_number(protocols[0]) if protocols else None,
        ports=_rule_ports(said),
        icmp_type=int(said["type"]) if "type" in said else None,
        icmp_code=int(said["code"]) if "code" in said else None,
        remote=prefix(remote) if whom == "prefix" else None,
        remote_group_id=remote if whom == "group" else "",
        remote_addresses_id=remote if whom == "addresses" else "",
    )


def _ports(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def _mac(said: dict[str, str], name: str, default: int) -> int:
    return mac(said[name]) if name in said else default


def _ip(said: dict[str, str], name: str, default: int) -> int:
    return address(said[name]).number if name in said else default


def _in_frame(nic: Nic, to_mac: int, packet: bytes, said: dict[str, str]) -> bytes:
    destination, source = _mac(said, "dst_mac", to_mac), _mac(said, "mac", nic.port.mac)
    return frames.ip_frame(destination, source, packet)


def _udp(version: int, nic: Nic, to: Nic | None, said: dict[str, str]) -> bytes:
    source = _ip(said, "ip", nic.number(version))
    destination = _ip(said, "dst_ip", to.number(version) if to else 0)
    ports = int(said.get("sport", "1000")), int(said.get("dport", "2000"))
    make = frames.udp4 if version == 4 else frames.udp6
    data = b"d" * int(said.get("size", "4"))
    packet = make(source, destination, *ports, data, int(said.get("ttl", "64")))
    return _in_frame(nic, to.port.mac if to else frames.BROADCAST, packet, said)


def _tcp(nic: Nic, to: Nic | None, kind: str, said: dict[str, str]) -> bytes:
    assert to is not None
    flags, ports = (
        _TCP_FLAGS[kind],
        (int(said.get("sport", "1000")), int(said.get("dport", "2000"))),
    )
    packet = frames.tcp4(_ip(said, "ip", nic.number(4)), to.number(4), *ports, flags, b"")
    return _in_frame(nic, to.port.mac, packet, said)


def _unreachable(nic: Nic, to: Nic | None, said: dict[str, str]) -> bytes:
    """What `nic` says of a datagram that `to` has sent it."""
    assert to is not None
    ports = int(said.get("sport", "1000")), int(said.get("dport", "2000"))
    quoted = frames.udp4(to.number(4), nic.number(4), *ports, b"data")
    packet = frames.icmp4(nic.number(4), to.number(4), 3, 3, bytes(4) + quoted)
    return _in_frame(nic, to.port.mac, packet, said)


def _icmp(nic: Nic, to: Nic | None, kind: int, said: dict[str, str]) -> bytes:
    assert to is not None
    packet = frames.icmp4(_ip(said, "ip", nic.number(4)), to.number(4), kind, 0, bytes(8))
    return _in_frame(nic, to.port.mac, packet, said)


def _ping(nic: Nic, to: Address, said: dict[str, str]) -> bytes:
    source, ttl = _ip(said, "ip", nic.number(to.version)), int(said.get("ttl", "64"))
    if to.version == 4:
        packet = frames.icmp4(source, to.number, 8, 0, bytes(8), ttl)
    else:
        packet = frames.icmp6(source, to.number, 128, 0, bytes(8), ttl)
    return _in_frame(nic, ALL_NODES_MAC, packet, said)


def _icmp6(nic: Nic, kind: int, said: dict[str, str]) -> bytes:
    source = _ip(said, "ip", eui64_link_local(nic.port.mac).number)
    packet = frames.icmp6(source, ALL_NODES, kind, 0, bytes(32))
    return _in_frame(nic, ALL_NODES_MAC, packet, said)


def _neighbour(kind: int, nic: Nic, target: int, said: dict[str, str]) -> bytes:
    source = _ip(said, "ip", nic.number(6))
    sll = said.get("sll")
    option = None if sll == "none" else (kind - 134, mac(sll) if sll else nic.port.mac)
    packet = frames.neighbour(kind, source, _ip(said, "dst_ip", ALL_NODES), target, option)
    return _in_frame(nic, ALL_NODES_MAC, packet, said)


def _arp(op: int, nic: Nic, target: int, said: dict[str, str], to: Nic | None = None) -> bytes:
    return frames.arp(
        op,
        sha=_mac(said, "sha", nic.port.mac),
        spa=_ip(said, "ip", nic.number(4)),
        tpa=target,
        dst=_mac(said, "dst_mac", to.port.mac if to else frames.BROADCAST),
        src=_mac(said, "mac", nic.port.mac),
    )


def _dhcp(nic: Nic, kind: MessageType, said: dict[str, str]) -> bytes:
    options = {int(Option.MESSAGE_TYPE): bytes((kind,))}
    client = Mac(_mac(said, "chaddr", nic.port.mac))
    source = _ip(said, "ip", 0)  # a machine that renews says it inside as well
    payload = build_message(Message(1, 7, 0, source, 0, 0, 0, client, options))
    ports = int(said.get("sport", "68")), int(said.get("dport", "67"))
    packet = frames.udp4(source, _ip(said, "dst_ip", 0xFFFFFFFF), *ports, payload)
    return _in_frame(nic, frames.BROADCAST, packet, said)


def _dhcp6(nic: Nic, kind: dhcp6.MessageType, said: dict[str, str]) -> bytes:
    asks_for_addresses = kind is not dhcp6.MessageType.INFORMATION_REQUEST
    options = [(1, b"client"), *[(3, bytes(12))] * asks_for_addresses]
    source = _ip(said, "ip", eui64_link_local(nic.port.mac).number)
    ports = int(said.get("sport", "546")), int(said.get("dport", "547"))
    payload = dhcp6.build_message(kind, b"abc", options)
    packet = frames.udp6(source, ALL_SERVERS, *ports, payload)
    return _in_frame(nic, ALL_SERVERS_MAC, packet, said)


def _summary6(frame: bytes) -> str:
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


def _labels(model: HostModel, trace: Trace) -> Iterator[str]:
    """The labels that a packet was counted under."""
    hit = {step.flow for step in trace.steps if step.table == p.METERED}
    for label_id in sorted(model.metering.labels()):
        for rule, flow in metering.flows(model.metering.rules_of(label_id), 0):
            if not rule.excluded and any(each and each[:3] == flow[:3] for each in hit):
                yield f"{label_id} {'in' if rule.ingress else 'out'}"


def _last_stage(trace: Trace) -> str:
    return p.STAGE_BY_TABLE[trace.tables[-1]].name


def _summary(packet: Packet) -> str:
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


@pytest.fixture
def world() -> World:
    """An empty world."""
    return World()
