"""Worlds of hosts in memory, and where packets go in them.

Every host's flows are compiled from its own model and carried out by the switch simulator; what
leaves by a tunnel enters the other host's. See test_agent_scenarios.py for the language.
"""

from dataclasses import dataclass, field

import pytest
from tests.fixtures.compiled import compile_all
from tests.scenarios.agent import seen
from tests.scenarios.agent.declared import (
    filtered,
    pair,
    policy,
    ports_of,
    rule_ports,
    security,
    whole,
)
from tests.scenarios.agent.sent import Nic, frame_of

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.agent.model.ports.meter import LIMITS
from alcor.agent.model.ports.monitoring import Ports
from alcor.agent.packets.dhcp import MessageType, parse_message
from alcor.agent.packets.ipv4 import parse_datagram
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts import nd, router
from alcor.agent.punts.responder import Responder
from alcor.goal_state.entries import (
    AclLog,
    AclRule,
    FixedIp,
    FloatingIp,
    Forwarding,
    Gateway,
    GoalEntry,
    GroupLog,
    Ipv6Mode,
    Member,
    MeteringRule,
    Mirror,
    Neighbour,
    Network,
    Port,
    PortLog,
    Route,
    Router,
    RouterInterface,
    Subnet,
    SubnetAcl,
    Tap,
    TapFlow,
    UplinkNode,
)
from alcor.goal_state.slices import EVERYBODY
from alcor.ovs.fields import ETH_TYPE_IPV6, FIELD_BY_NAME
from alcor.ovs.flow import Flow, apply, match
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.ovs.switch import Punted, Sent, Switch
from alcor.ovs.tracker import Tracker
from alcor.values.addresses import (
    Address,
    address,
    mac,
    prefix,
)
from alcor.values.protocols import protocol_number

TUNNEL, UPLINK = 100, 200  # ofports on every host
MIRRORS, TAPS = {300: "gre", 301: "erspan"}, 302


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
                    ports=rule_ports(said),
                    icmp_type=int(said["type"]) if "type" in said else None,
                )
            case "policy":
                self.security[kind, name] = policy(name, said)
            case "edge":
                network_id = self.subnets[name].network_id
                self.security[kind, name] = SubnetAcl(network_id, name, plain[0])
            case "group" | "addresses" | "rule":
                self.security[kind, name] = security(kind, name, plain, said)
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
                    Forwarding(name, plain[0], {"tcp": 6, "udp": 17}[protocol], ports_of(outer),
                               address(inner_address), ports_of(inner))
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
        self.nics[name] = nic._replace(port=nic.port._replace(**filtered(said)))

    def _declare_port(self, name: str, words: list[str], said: dict[str, str]) -> None:
        network, host, mac_word, *rest = words
        switches = {"insecure", "down", "unplugged"}
        fixed = tuple(self._fixed(network, word) for word in rest if word not in switches)
        up, secure = "down" not in rest, "insecure" not in rest
        pairs = tuple(map(pair, said["pairs"].split(","))) if "pairs" in said else ()
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
            **filtered(said),
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
                model.put(Member(group_id, name, tuple(map(whole, nic.port.fixed_ips))))
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
            return self._send(host, frame_of(self.nics, nic, plain, said), port, fields)
        nic = self.nics[sender]
        self.counted.clear()
        if nic.port.vlan:
            said.setdefault("vlan", str(nic.port.vlan))
        if nic.host:
            fate = self._send(nic.host, frame_of(self.nics, nic, plain, said), nic.ofport, {})
        else:
            fate = self._on_the_wire("", frame_of(self.nics, nic, plain, said))
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
        self.counted += seen.labels(model, trace)
        logged = [each for each in trace.punted if each.userdata in p.LOGGED]
        others = [each for each in trace.outcomes if each not in logged]
        fates = [self._outcome(host, model, in_port, each) for each in others]
        measured = "".join(seen.measured(model, meter) for meter in trace.meters if meter >= LIMITS)
        measured += "".join(seen.logged(model, each) for each in logged)
        return measured + (" and ".join(fates) or f"dropped at {seen.last_stage(trace)}")

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
            return f"answered: {seen.summary(outcome.packet)}{f' in VLAN {tag}' if tag else ''}"
        if outcome.port == UPLINK:
            if outcome.packet["arp_op"] == 1 or outcome.packet["icmpv6_type"] == 135:
                return f"asked outside by {host}{f' in VLAN {tag}' if tag else ''}"
            if outcome.packet["arp_op"] or outcome.packet["icmpv6_type"] == 136:
                return f"answered by {host}: {seen.summary(outcome.packet)}"
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
            return f"answered: {seen.summary(Packet(frame))}"
        if punted.userdata == p.PUNT_ND:
            tag = model.ports[model.port_at(punted.fields[p.PORT_IN])].vlan
            return f"answered: {seen.summary(Packet(frame))}{f' in VLAN {tag}' if tag else ''}"
        if Packet(frame)["eth_type"] == ETH_TYPE_IPV6:
            return f"answered: {seen.summary6(frame)}"
        message = parse_message(parse_datagram(frame).payload)
        kind = MessageType(message.type or 0).name
        return f"answered: dhcp {kind} {Address(4, message.yiaddr)}"


@pytest.fixture
def world() -> World:
    """An empty world."""
    return World()
