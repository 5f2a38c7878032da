"""Logs of what security groups decide, and mirrors, by packets.

What is told of, what is copied, and that nothing else changes.
"""

import json
import re
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from tests.system.obeyed import obeyed

from alcor.client.api import Kind
from alcor.lab import namespaces
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import ofctl
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket, udp4
from alcor.lab.traffic.ping import Pair, ping
from alcor.lab.traffic.sessions import Session, opens
from alcor.lab.waiting import wait_until

lab_name = "syslog"
lab_hosts = 2

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]
Line = dict[str, Any]

LOG = Kind("log", "logs", "/v2.0/log/logs")
MIRROR = Kind("tap_mirror", "tap_mirrors", "/v2.0/taas/tap_mirrors")
collector = "172.31.0.200"  # on the underlay, where nobody else is
converge_timeout_s = 30.0
accepted_meter = 0x1_0000
EGRESS = ("out 4", "out 6")


class Logs:
    """The logs of a lab, and what hosts have written."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def make(self, **fields: Any) -> str:
        """A log that hosts obey."""
        body = {"resource_type": "security_group", **fields}
        created = self._lab.api.create(LOG, [body])
        obeyed(self._lab, created.revision)
        return str(created.items[0]["id"])

    def drop(self, log_id: str) -> None:
        """Delete a log, and wait until hosts obey."""
        obeyed(self._lab, self._lab.api.delete(LOG, log_id))

    def lines(self, host: str) -> list[Line]:
        """What a host has written so far."""
        path = self._lab.host(host).folder / "network.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for(self, host: str, **fields: Any) -> Line:
        """A line with these values, once it is there."""

        def found() -> list[Line]:
            every = self.lines(host)
            return [line for line in every if fields.items() <= line.items()]

        wait_until(f"a line with {fields}", lambda: bool(found()), converge_timeout_s)
        return found()[0]


@pytest.fixture
def logs(lab: Lab) -> Logs:
    return Logs(lab)


@pytest.fixture(scope="module")
def cast() -> dict[str, Machine]:
    return {}


@pytest.fixture
def machines(
    cast: dict[str, Machine], make_network: MakeNetwork, make_machines: MakeMachines
) -> dict[str, Machine]:
    """A client on h1, a server on h2, and a client beside it; made once."""
    if not cast:
        network_id = make_network("10.21.0.0/24", "fd00:21::/64")
        made = make_machines(network_id, "lgcli lgsrv lgsame", "h1 h2 h2")
        cast.update({machine.name: machine for machine in made})
    return cast


@pytest.mark.proves("Logs of security groups' decisions", "IPv4 IPv6", "same across")
@pytest.mark.parametrize(("asker", "number"), [("lgcli", 0), ("lgsame", 10)])
@pytest.mark.parametrize("version", [4, 6])
def test_what_opens_a_connection_or_is_dropped_is_written_down_where_it_is_decided(
    lab: Lab,
    machines: dict[str, Machine],
    groups: Any,
    logs: Logs,
    version: int,
    asker: str,
    number: int,
) -> None:
    client, server = machines[asker], machines["lgsrv"]
    here, there = (lab.layout.machine_namespace(each.name) for each in (client, server))
    open_port, shut_port = 8_000 + number + version, 9_000 + number + version
    group_id = groups.make(f"in {version} tcp {open_port}")
    groups.put(client, groups.make(*EGRESS))
    groups.put(server, groups.make(*EGRESS), group_id)
    by_port, by_group = logs.make(target_id=server.port_id), logs.make(resource_id=group_id)
    address = server.address(version)

    with Session("tcp", here, there, address, open_port) as session:
        assert all(session.ask(5.0) for _ in range(5))
        told = logs.wait_for("h2", action="ACCEPT", dst_port=open_port)
    assert not opens("tcp", here, there, address, shut_port, 0.7)
    refused = logs.wait_for("h2", action="DROP", dst_port=shut_port)

    for line in (told, refused):
        assert line["vm_port"] == server.port_id
        assert (line["src_ip"], line["dst_ip"]) == (client.address(version), address)
        assert (line["protocol"], line["direction"]) == ("tcp", "ingress")
        assert line["eth_src"] == client.mac
        assert line["log_resource_ids"] == sorted((by_port, by_group))
    opened = [line for line in logs.lines("h2") if line.get("dst_port") == open_port]
    assert len(opened) == 1, "only what opens a connection is told of"
    assert logs.lines("h1") == [], "nobody is logged there"
    for each in (by_port, by_group):
        logs.drop(each)


def test_a_flood_is_written_down_as_far_as_the_limit_and_all_of_it_is_let_pass(
    lab: Lab, machines: dict[str, Machine], groups: Any, logs: Logs
) -> None:
    client, server = machines["lgcli"], machines["lgsrv"]
    groups.put(client, groups.make(*EGRESS))
    groups.put(server, groups.make("in 4 udp"))
    log_id = logs.make(target_id=server.port_id, event="ACCEPT")
    before, chunk, chunks = len(logs.lines("h2")), 60, 5
    source = (client.mac, client.address(4))
    target = (server.mac, server.address(4))

    with (
        FrameSocket(lab.layout.machine_namespace(client.name)) as sender,
        FrameSocket(lab.layout.machine_namespace(server.name)) as receiver,
    ):
        for sent in range(chunk, chunk * chunks + 1, chunk):
            for number in range(chunk):  # each is a connection of its own
                sender.send(udp4((*source, 20_000 + sent + number), (*target, 7), b"flood"))

            def all_came(sent: int = sent) -> bool:
                return sum(b"flood" in frame for frame in receiver.heard()) == sent

            wait_until(f"{sent} packets", all_came, converge_timeout_s)

    copies, left_out = meter_counts(lab)
    assert copies == chunk * chunks
    assert 0 < left_out < copies
    wait_until("lines", lambda: len(logs.lines("h2")) - before == copies - left_out, 5.0)
    logs.drop(log_id)
    assert f"meter:{accepted_meter} " not in ofctl(lab.host("h2"), "meter-stats", "br-int")


def meter_counts(lab: Lab) -> tuple[int, int]:
    """How many copies came to the meter of h2, and how many it left out."""
    told = ofctl(lab.host("h2"), "meter-stats", "br-int")
    of_accepted = told[told.index(f"meter:{accepted_meter} ") :]
    first, second = re.findall(r"packet_(?:in_)?count:(\d+)", of_accepted)[:2]
    return int(first), int(second)


class Copy(NamedTuple):
    """A frame that has come by GRE or ERSPAN."""

    sender: str  # the host's underlay address
    protocol: int  # of GRE: a bridged frame, or ERSPAN
    tunnel_id: int
    frame: bytes


GRE, ERSPAN = 0x6558, 0x88BE


class Collector:
    """Whom hosts send copies to, on the underlay."""

    def __init__(self, lab: Lab) -> None:
        space = lab.layout.underlay_namespace
        ip_batch([f"addr replace {collector}/16 dev br0"], space)
        with namespaces.inside(space):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE)
        self._socket.setblocking(False)
        self._copies: list[Copy] = []

    def copies(self) -> list[Copy]:
        """Every copy that has come so far."""
        while True:
            try:
                packet, sender = self._socket.recvfrom(65535)
            except BlockingIOError:
                return self._copies
            self._copies.append(_copy(sender[0], packet[(packet[0] & 15) * 4 :]))

    def wait_for(self, what: str, is_it: Callable[[Copy], bool]) -> Copy:
        """Such a copy, once it has come."""
        wait_until(what, lambda: any(map(is_it, self.copies())), converge_timeout_s)
        return next(filter(is_it, self.copies()))

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


def _copy(sender: str, packet: bytes) -> Copy:
    """What is in GRE (RFC 2890): with a key, or of ERSPAN type II with a sequence number."""
    _, protocol, word = struct.unpack_from("!HHI", packet)
    if protocol == GRE:
        return Copy(sender, protocol, word, packet[8:])
    (session,) = struct.unpack_from("!I", packet, 8)
    return Copy(sender, protocol, session & 0x3FF, packet[16:])


@pytest.fixture
def underlay(lab: Lab) -> Iterator[Collector]:
    heard = Collector(lab)
    yield heard
    heard.close()


@pytest.mark.proves("Mirrors of ports by GRE and ERSPAN", "IPv4 IPv6", "across")
@pytest.mark.parametrize("version", [4, 6])
def test_what_passes_a_port_is_copied_to_an_address_on_the_underlay(
    lab: Lab,
    machines: dict[str, Machine],
    groups: Any,
    underlay: Collector,
    version: int,
) -> None:
    client, server = machines["lgcli"], machines["lgsrv"]
    kind, protocol = {4: ("gre", GRE), 6: ("erspanv1", ERSPAN)}[version]
    for each in (client, server):
        groups.put(each, groups.make(*EGRESS, f"in {version}"))
    into, out = 100 + version, 200 + version
    made = lab.api.create(
        MIRROR,
        [
            {
                "port_id": server.port_id,
                "remote_ip": collector,
                "mirror_type": kind,
                "directions": {"IN": into, "OUT": out},
            }
        ],
    )
    assert lab.api.wait(made.revision, converge_timeout_s).converged
    ask = Pair(client.name, server.name, server.address(version))
    where = {client.name: lab.layout.machine_namespace(client.name)}

    def pings() -> bool:
        return ping([ask], where, 1.0).ok == 1

    def is_copy(tunnel_id: int, source: Machine, target: Machine) -> Callable[[Copy], bool]:
        macs = bytes.fromhex((target.mac + source.mac).replace(":", ""))
        icmp = {4: b"\x08\x00", 6: b"\x86\xdd"}[version]
        return lambda each: (
            each[:3] == (lab.host("h2").tunnel_ip, protocol, tunnel_id)
            and each.frame[:14] == macs + icmp
        )

    def copied() -> bool:  # the port for copies comes a moment after the mirror
        return pings() and any(map(is_copy(into, client, server), underlay.copies()))

    wait_until("a copy of a ping", copied, converge_timeout_s)
    underlay.wait_for("a copy of its answer", is_copy(out, server, client))
    seen = {each.tunnel_id for each in underlay.copies()}
    assert seen == {into, out}
    assert {each.sender for each in underlay.copies()} == {lab.host("h2").tunnel_ip}
    gone = lab.api.delete(MIRROR, made.items[0]["id"])
    obeyed(lab, gone)
    before = len(underlay.copies())
    assert pings()
    assert len(underlay.copies()) == before
