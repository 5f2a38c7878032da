"""What a trace says of intent is what becomes of real packets, for some hundred of them.

Three networks, two routers, a way out with a floating IP, groups with and without memory, and a
network ACL; every machine sends every other a few kinds of packets, each from a port of its own.
"""

import asyncio
import select
import socket
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import pytest
from tests.system.conftest import Groups
from typer.testing import CliRunner

from alcor.cli.exits import Exit
from alcor.cli.main import app
from alcor.cli.tracing.live import Said, asked_of_switches
from alcor.client.api import FLOATING_IP, NETWORK, PORT, ROUTER, SUBNET, Kind
from alcor.lab import namespaces, outside
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import ofctl
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until
from alcor.ovs import frames
from alcor.ovs.packet import Packet

lab_name = "systrace"
lab_hosts = 2
lab_uplinks = 1
timeout_s = 30.0

ACL = Kind("network_acl", "network_acls", "/alcor/v1/network-acls")
ACL_RULE = Kind("network_acl_rule", "network_acl_rules", "/alcor/v1/network-acl-rules")
NETS = {"red": 60, "blue": 61, "green": 62}
MACHINES = {  # network, host, group
    "a": ("red", "h1", "open"),
    "b": ("red", "h2", "web"),
    "c": ("blue", "h1", "web"),
    "d": ("blue", "h2", "open"),
    "e": ("green", "h1", "open"),
    "f": ("green", "h2", "mute"),
    "g": ("red", "h1", ""),  # no port security
    "h": ("blue", "h2", "stateless"),
}
KINDS = (("tcp", 80), ("tcp", 22), ("udp", 53), ("icmp", 0))
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}


class Probe(NamedTuple):
    """A packet: who sends it, where to, and the number that it is known by."""

    sender: str
    to: str
    protocol: str
    port: int
    number: int  # its source port, or the identifier of a ping


class Site(NamedTuple):
    """The machines, and what one of them is called outside."""

    lab: Lab
    machines: dict[str, Machine]
    floating: str

    def probes(self) -> list[Probe]:
        """Every pair of machines by every kind; a floating IP and the world outside from each."""
        ends = [(one, other.address(4)) for one in MACHINES for other in self.others(one)] + [
            (one, to) for one in MACHINES for to in (self.floating, outside.beyond)
        ]
        packets = [(*end, *kind) for end in ends for kind in KINDS]
        packets += [
            (one, other.address(6), "udp", 53) for one in MACHINES for other in self.others(one)
        ]
        return [Probe(*packet, 20_000 + number) for number, packet in enumerate(packets)]

    def others(self, name: str) -> list[Machine]:
        return [machine for other, machine in self.machines.items() if other != name]

    def space(self, name: str) -> str:
        return self.lab.layout.machine_namespace(name)


@pytest.fixture(scope="module")
def site(lab: Lab) -> Site:
    """All of it, obeyed by the hosts."""
    api, subnets = lab.api, {}
    for name, number in NETS.items():
        network = api.create(NETWORK, [{"name": name}]).items[0]["id"]
        for cidr in (f"10.{number}.0.0/24", f"fd{number}::/64"):
            version = 6 if ":" in cidr else 4
            body = {"network_id": network, "cidr": cidr, "ip_version": version}
            subnets[name, version] = api.create(SUBNET, [body]).items[0]
    _routers(lab, subnets, _external(lab))
    groups = _groups(lab)
    bodies = [
        _port(name, subnets[network, 4]["network_id"], host, groups.get(group))
        for name, (network, host, group) in MACHINES.items()
    ]
    created = api.create(PORT, bodies)
    machines = {each.name: each for each in lab.plug(created.items)}
    _acl(lab, subnets["green", 4])
    body = {"floating_network_id": _external_id(lab), "port_id": machines["c"].port_id}
    floating = api.create(FLOATING_IP, [body])
    for machine in machines.values():
        _configure(lab, machine)
    ports = [machine.port_id for machine in machines.values()]
    wait_until("ports to be ACTIVE", lambda: _active(lab, ports), timeout_s)
    assert api.wait(floating.revision, timeout_s).converged
    return Site(lab, machines, floating.items[0]["floating_ip_address"])


def _external_id(lab: Lab) -> str:
    return str(lab.api.list_page(NETWORK, [("router:external", "True")])[0]["id"])


def _external(lab: Lab) -> str:
    body = {"router:external": True, "provider:network_type": "flat",
            "provider:physical_network": outside.physical_network}  # fmt: skip
    network_id: str = lab.api.create(NETWORK, [body]).items[0]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": outside.cidr,
              "gateway_ip": outside.gateway, "enable_dhcp": False}  # fmt: skip
    lab.api.create(SUBNET, [subnet])
    return network_id


def _routers(lab: Lab, subnets: dict[tuple[str, int], Any], external: str) -> None:
    """One joins red, blue and the outside; another joins blue and green."""
    body = {"name": "r1", "external_gateway_info": {"network_id": external}}
    first = lab.api.create(ROUTER, [body]).items[0]["id"]
    second = lab.api.create(ROUTER, [{"name": "r2"}]).items[0]["id"]
    for version in (4, 6):
        for name, router in (("red", first), ("blue", first), ("green", second)):
            _attach(lab, router, subnet_id=subnets[name, version]["id"])
    blue = subnets["blue", 4]
    fixed = [{"subnet_id": blue["id"], "ip_address": "10.61.0.254"}]
    port = {"network_id": blue["network_id"], "fixed_ips": fixed}
    _attach(lab, second, port_id=lab.api.create(PORT, [port]).items[0]["id"])
    for router, to, by in (
        (first, "10.62.0.0/24", "10.61.0.254"),
        (second, "10.60.0.0/24", "10.61.0.1"),
    ):
        routes = {"routes": [{"destination": to, "nexthop": by}]}
        lab.api.update(ROUTER, router, routes)


def _attach(lab: Lab, router: str, **what: str) -> None:
    lab.api.act(ROUTER, router, "add_router_interface", what)


def _groups(lab: Lab) -> dict[str, str]:
    groups = Groups(lab)
    made = {"open": groups.make("in 4", "in 6", "out 4", "out 6"), "mute": groups.make()}
    web = ("out 4", "out 6", "in 4 tcp 80", f"in 4 icmp group={made['open']}")
    made["web"] = groups.make(*web, "in 6 udp 50-60 prefix=fd60::/64")
    stateless = ("out 4", "in 4 udp prefix=10.60.0.0/23", "in 4 tcp 1-79")
    made["stateless"] = groups.make(*stateless, stateful=False)
    return made


def _port(name: str, network_id: str, host: str, group: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"network_id": network_id, "name": name, "binding:host_id": host}
    if group is None:
        return body | {"port_security_enabled": False, "security_groups": []}
    return body | {"security_groups": [group]}


def _acl(lab: Lab, subnet: dict[str, Any]) -> None:
    """What comes into the green subnet: the web, and pings from blue; nothing else."""
    body = {"network_id": subnet["network_id"], "subnet_ids": [subnet["id"]]}
    acl = lab.api.create(ACL, [body]).items[0]["id"]
    rules: list[tuple[str, str, dict[str, Any]]] = [
        ("ingress", "deny", {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}),
        ("ingress", "allow", {"protocol": "tcp"}),
        ("ingress", "allow", {"protocol": "icmp", "ip_prefix": "10.61.0.0/24"}),
        ("egress", "allow", {}),
    ]
    for number, (way, action, more) in enumerate(rules, start=1):
        rule = {"network_acl_id": acl, "number": number, "direction": way, "action": action}
        lab.api.create(ACL_RULE, [rule | {"ethertype": "IPv4"} | more])


def _configure(lab: Lab, machine: Machine) -> None:
    """What DHCP and router advertisements would have said."""
    subnets = [lab.api.show(SUBNET, each["subnet_id"])
               for each in lab.api.show(PORT, machine.port_id)["fixed_ips"]]  # fmt: skip
    lines = [
        f"addr replace {each}/{64 if ':' in each else 24} dev eth0{' nodad' * (':' in each)}"
        for each in machine.addresses
    ]
    lines += [f"route replace default via {each['gateway_ip']}" for each in subnets]
    ip_batch(lines, lab.layout.machine_namespace(machine.name))


def _active(lab: Lab, port_ids: Iterable[str]) -> bool:
    return all(lab.api.show(PORT, each)["status"] == "ACTIVE" for each in port_ids)


class Ears:
    """Hears what comes to every machine: which probes, and where."""

    def __init__(self, sockets: dict[str, socket.socket]) -> None:
        self._sockets = sockets
        self.heard: set[tuple[str, int, int]] = set()  # machine, protocol, number

    def listen(self) -> None:
        """Take in what has come."""
        while ready := select.select(list(self._sockets.values()), [], [], 0.05)[0]:
            for name, ear in self._sockets.items():
                if ear in ready:
                    data, about = ear.recvfrom(2048)
                    if about[2] != socket.PACKET_OUTGOING:
                        self._hear(name, Packet(data))

    def _hear(self, name: str, packet: Packet) -> None:
        protocol = packet["ip_proto"]
        if protocol == 1 and packet["icmpv4_type"] == 8:
            at = 14 + 20 + 4
            self.heard.add((name, 1, int.from_bytes(packet.frame[at : at + 2], "big")))
        elif protocol in (6, 17):
            field = "tcp_src" if protocol == 6 else "udp_src"
            self.heard.add((name, protocol, packet[field]))


@contextmanager
def ears(site: Site) -> Iterator[Ears]:
    with ExitStack() as stack:
        sockets = {}
        for name in site.machines:
            with namespaces.inside(site.space(name)):
                ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            sockets[name] = stack.enter_context(ear)
            ear.bind(("eth0", 3))
        yield Ears(sockets)


def send(site: Site, probe: Probe) -> None:
    """Send one packet, as the machine's own kernel does."""
    family = socket.AF_INET6 if ":" in probe.to else socket.AF_INET
    with ExitStack() as stack, namespaces.inside(site.space(probe.sender)):
        match probe.protocol:
            case "icmp":
                mouth = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
                asks = bytes((8, 0, 0, 0)) + probe.number.to_bytes(2, "big") + bytes(2)
                asks = asks[:2] + frames.checksum(asks).to_bytes(2, "big") + asks[4:]
                stack.enter_context(mouth).sendto(asks, (probe.to, 0))
            case "udp":
                mouth = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                mouth.bind(("", probe.number))
                mouth.sendto(b"probe", (probe.to, probe.port))
            case "tcp":
                mouth = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                mouth.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                mouth.bind(("", probe.number))
                mouth.setblocking(False)
                mouth.connect_ex((probe.to, probe.port))


def traced(site: Site, probe: Probe) -> dict[str, Any]:
    asked = {"from_port": site.machines[probe.sender].port_id, "to_address": probe.to}
    if probe.protocol != "icmp":
        asked |= {"source_port": str(probe.number), "port": str(probe.port)}
    numbers = {key: int(value) for key, value in asked.items() if key in ("source_port", "port")}
    return site.lab.api.trace(asked | {"protocol": probe.protocol} | numbers)


def test_real_packets_go_where_traces_say(site: Site) -> None:
    probes = site.probes()
    assert len(probes) >= 200
    name_by_port = {machine.port_id: name for name, machine in site.machines.items()}
    expected: dict[Probe, str] = {}
    verdicts: dict[Probe, dict[str, Any]] = {}
    for probe in probes:
        verdicts[probe] = said = traced(site, probe)
        if said["verdict"] == "delivered":
            expected[probe] = name_by_port[said["port_id"]]
    wanted = {
        (name, PROTOCOLS[probe.protocol], probe.number): probe for probe, name in expected.items()
    }
    assert 60 <= len(wanted) <= len(probes) - 60  # enough of both to mean something

    with ears(site) as hearing:
        _send_until(site, probes, hearing, wanted)
        # What is dropped has had time enough when others that are sent later have come.
        later = [probe._replace(number=probe.number + 5_000) for probe in probes]
        expected_later = {(name, protocol, number + 5_000) for name, protocol, number in wanted}
        _send_until(site, later, hearing, expected_later)

    surplus = hearing.heard - wanted.keys() - expected_later
    sent = {probe.number: probe for probe in (*probes, *later)}
    astray = [(where, sent[number]) for where, _, number in surplus if number in sent]
    assert not [f"{where} heard {each}" for where, each in astray], verdicts


def asked_live(site: Site, probe: Probe) -> list[Said]:
    """What the switches say of a probe that is traced."""
    run_dirs = {host.name: host.folder for host in site.lab.hosts}
    sender = site.machines[probe.sender].port_id
    return asyncio.run(asked_of_switches(traced(site, probe), sender, run_dirs))


def test_the_switches_say_the_same_when_they_are_asked(site: Site) -> None:
    probes = [probe for probe in site.probes() if probe.protocol in ("tcp", "udp")]

    said = {probe: asked_live(site, probe) for probe in probes}

    assert not [(probe, hosts) for probe, hosts in said.items() if any(e.differs for e in hosts)]
    whole = [hosts for hosts in said.values() if not any(each.note for each in hosts)]
    assert len(whole) >= len(probes) // 3
    assert max(map(len, whole)) == 2  # as far as the other host


def test_a_switch_that_does_otherwise_is_named_with_the_stage(site: Site) -> None:
    host, probe = site.lab.host("h1"), Probe("a", site.machines["g"].address(4), "udp", 53, 30_000)
    lost = "table=30,priority=60000,cookie=0xa100000000000001,udp,tp_dst=53,actions=drop"
    ofctl(host, "add-flow", "br-int", lost)
    try:
        (said,) = asked_live(site, probe)
        words = ["trace", "--from", site.machines["a"].port_id, "--to", probe.to, "--live"]
        words += ["--proto", "udp", "--port", "53", "--lab", site.lab.layout.name]
        environment = {"ALCOR_ENDPOINT": site.lab.record.endpoint}
        told = CliRunner().invoke(app, words, env=environment)
    finally:
        ofctl(host, "del-flows", "br-int", "cookie=0xa100000000000001/-1")

    assert (said.host, said.differs) == ("h1", "FW_OUT is not passed")
    assert said.stages[-1] == "ACL_OUT"
    assert told.exit_code == Exit.FAILED
    assert "the switch of h1 differs: FW_OUT is not passed" in told.stdout


def _send_until(
    site: Site, probes: list[Probe], hearing: Ears, wanted: Collection[tuple[str, int, int]]
) -> None:
    """Send all, and what is missing again, until all that is expected has come."""
    for probe in probes:
        send(site, probe)

    def come() -> bool:
        hearing.listen()
        missing = {number for _, _, number in set(wanted) - hearing.heard}
        for probe in probes:
            if probe.number in missing:
                send(site, probe)
        return not missing

    try:
        wait_until("what traces say is delivered", come, timeout_s)
    except Exception as error:
        missing = {number for _, _, number in set(wanted) - hearing.heard}
        raise AssertionError([each for each in probes if each.number in missing]) from error
