"""Faults of others that only packets show, by their numbers (docs/reference/pains.md)."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from tests.system.conftest import Groups, converge_timeout_s

from alcor.client.api import PORT
from alcor.lab import hosts, machines, namespaces, parts
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.layout import tunnel_network_length
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket, ethernet
from alcor.lab.waiting import wait_until
from alcor.ovs import frames
from alcor.values.addresses import address, mac

lab_name = "syspains"
lab_hosts = 2
LIE, HONEST = b"should not be heard", b"honest words"
MORE, IP_IN_IP, HOP_BY_HOP, FRAGMENT, UDP = 0x2000, 4, 0, 44, 17

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.fixture
def trio(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[tuple[Machine, Machine, Machine]]:
    """A sender and a receiver on h1, another receiver on h2."""
    made = make_machines(make_network("10.1.0.0/24", "fd00:1::/64"), "from same far", "h1 h1 h2")
    yield made[0], made[1], made[2]
    lab.unplug(made)
    for machine in made:
        lab.api.delete(PORT, machine.port_id)


def udp_body(port: int, payload: bytes) -> bytes:
    """A UDP datagram without a checksum."""
    return struct.pack("!HHHH", 4000, port, 8 + len(payload), 0) + payload


def lies(sender: Machine, target: Machine) -> dict[str, bytes]:
    """What the target's group, which lets in UDP to port 53, must not be taken for."""
    me4, you4 = (address(each.address(4)).number for each in (sender, target))
    me6, you6 = (address(each.address(6)).number for each in (sender, target))
    one, other = mac(sender.mac), mac(target.mac)
    closed = udp_body(80, LIE.ljust(64))
    dns = frames.udp4(me4, you4, 4000, 53, LIE)
    fragment6 = struct.pack("!BBHI", UDP, 0, 1, 9) + udp_body(80, LIE.ljust(64))
    later6 = struct.pack("!BBHI", UDP, 0, 64, 9) + LIE.ljust(64)
    hops6 = struct.pack("!BBBBI", UDP, 0, 1, 4, 0) + udp_body(80, LIE)

    def in_frame(packet: bytes, vlan: int | None = None) -> bytes:
        return frames.ip_frame(other, one, packet, vlan)

    return {
        "the first fragment": in_frame(frames.ipv4(me4, you4, UDP, closed, fragment=MORE)),
        "a later fragment": in_frame(frames.ipv4(me4, you4, UDP, LIE.ljust(64), fragment=8)),
        "the first fragment of IPv6": in_frame(frames.ipv6(me6, you6, FRAGMENT, fragment6)),
        "a later fragment of IPv6": in_frame(frames.ipv6(me6, you6, FRAGMENT, later6)),
        "behind an extension header": in_frame(frames.ipv6(me6, you6, HOP_BY_HOP, hops6)),
        "SYN and FIN": in_frame(frames.tcp4(me4, you4, 4000, 80, 0x03, LIE)),
        "ACK without a session": in_frame(frames.tcp4(me4, you4, 4000, 80, 0x10, LIE)),
        "an error about nothing": in_frame(
            frames.icmp4(me4, you4, 3, 1, bytes(4) + frames.udp4(you4, me4, 53, 4000, LIE))
        ),
        "with a tag": in_frame(dns, vlan=5),
        "IP in IP": in_frame(frames.ipv4(me4, you4, IP_IN_IP, dns)),
        "from a group": frames.ethernet(other, one | 1 << 40, 0x0800, dns),
        "of no kind": ethernet(sender.mac, target.mac, 0x88B5, LIE),
    }


def test_p148_what_is_no_plain_packet_gets_past_no_filter(
    lab: Lab, trio: tuple[Machine, Machine, Machine], groups: Groups
) -> None:
    sender, *receivers = trio
    groups.put(sender, groups.make("out 4", "out 6"))
    group_id = groups.make("in 4 udp 53", "in 6 udp 53")
    for receiver in receivers:
        groups.put(receiver, group_id)
    with ExitStack() as stack:
        mouth, *ears = (
            stack.enter_context(FrameSocket(lab.layout.machine_namespace(each.name)))
            for each in trio
        )
        for receiver, ear in zip(receivers, ears, strict=True):
            for lie in lies(sender, receiver).values():
                mouth.send(lie)
            here, there = (address(each.address(4)).number for each in (sender, receiver))
            honest = frames.udp4(here, there, 4000, 53, HONEST)
            mouth.send(frames.ip_frame(mac(receiver.mac), mac(sender.mac), honest))
            ear.wait_for("honest words", lambda frame: HONEST in frame)

        for ear in ears:
            assert not [frame for frame in ear.heard() if LIE in frame]


@pytest.mark.parametrize("version", [4, 6])
def test_p148_what_is_let_in_arrives_whole_in_fragments(
    lab: Lab, trio: tuple[Machine, Machine, Machine], groups: Groups, version: int
) -> None:
    sender, *receivers = trio
    groups.put(sender, groups.make(f"out {version}"))
    group_id = groups.make(f"in {version} udp 53")
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    large = HONEST * 400  # several packets
    for receiver in receivers:
        groups.put(receiver, group_id)
        with ExitStack() as stack:
            ends: list[socket.socket] = []
            for machine in (sender, receiver):
                with namespaces.inside(lab.layout.machine_namespace(machine.name)):
                    ends.append(stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)))
            mouth, ear = ends
            ear.bind((receiver.address(version), 53))
            ear.settimeout(5)
            mouth.sendto(large, (receiver.address(version), 53))
            assert ear.recv(65_535) == large


def ping(lab: Lab, *who: Machine) -> None:
    addresses = {each.name: each.address(4) for each in who}
    assert not lab.ping_all(addresses, converge_timeout_s).unanswered


def test_p116_a_host_that_has_another_address_is_reached_there(
    lab: Lab, trio: tuple[Machine, Machine, Machine]
) -> None:
    sender, _, far = trio
    host = lab.host("h2")
    moved = f"{host.tunnel_ip.rpartition('.')[0]}.200"
    ping(lab, sender, far)

    def names(number: str) -> bool:
        return number in hosts.ofctl(lab.host("h1"), "dump-flows", "br-int")

    for address_now, gone in ((moved, host.tunnel_ip), (host.tunnel_ip, moved)):
        parts.stop_agent(host)
        ip_batch(
            [
                f"addr del {gone}/{tunnel_network_length} dev br-phys",
                f"addr add {address_now}/{tunnel_network_length} dev br-phys",
            ],
            host.namespace,
        )
        parts.start_agent(host, lab.record, "--tunnel-ip", address_now)
        number = f"0x{address(address_now).number:x}"
        wait_until("the new address", partial(names, number), converge_timeout_s)
        ping(lab, sender, far)
    number = f"0x{address(moved).number:x}"
    assert number not in hosts.ofctl(lab.host("h1"), "dump-flows", "br-int")


def test_p119_a_bridge_that_somebody_deletes_is_made_again_with_all_its_flows(
    lab: Lab, trio: tuple[Machine, Machine, Machine]
) -> None:
    sender, same, far = trio
    host = lab.host("h1")
    ping(lab, *trio)
    before = hosts.flow_count(host)

    hosts.vsctl(host, "--", "del-br", "br-int")
    wait_until(
        "the bridge", lambda: "br-int" in hosts.vsctl(host, "list-br").split(), converge_timeout_s
    )
    machines.plug_on_host(host, [sender, same])

    wait_until("the flows", lambda: hosts.flow_count(host) == before, converge_timeout_s)
    ping(lab, sender, same, far)
