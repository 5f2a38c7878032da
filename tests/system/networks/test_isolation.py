"""Who may be heard by whom: networks, spoofers, and ports that are gone."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from alcor.client.api import PORT
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import (
    FrameSocket,
    arp,
    broadcast,
    ethernet,
    neighbour_advertisement,
    udp4,
    udp6,
)
from alcor.values.addresses import eui64_link_local, mac

lab_name = "sysiso"
lab_hosts = 2

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]

HONEST = b"this is me"
LIE = b"this is not me"
STRANGER_MAC = "fa:16:3e:99:99:99"


def v4(machine: Machine) -> str:
    return machine.address(4)


def link_local(machine: Machine) -> str:
    return str(eui64_link_local(mac(machine.mac)))


def frames_of(lab: Lab, machine: Machine, stack: ExitStack) -> FrameSocket:
    namespace = lab.layout.machine_namespace(machine.name)
    return stack.enter_context(FrameSocket(namespace))


def say_honestly(source: FrameSocket, machine: Machine, target: Machine, version: int = 4) -> None:
    source.send(udp(version, machine, target.mac, target, HONEST))


def udp(version: int, source: Machine, target_mac: str, target: Machine, word: bytes) -> bytes:
    """A datagram to a machine's address, whoever has the MAC that it is sent to."""
    ends = (source.mac, source.address(version), 4000), (target_mac, target.address(version), 4000)
    return udp4(*ends, word) if version == 4 else udp6(*ends, word)


def claim(version: int, source: Machine, target_mac: str, target: Machine) -> bytes:
    """What says, in address resolution, that the target's address is at the source's MAC."""
    address = target.address(version)
    if version == 4:
        return arp(
            source.mac, target_mac, operation=1, sender=(source.mac, v4(source)), asked=address
        )
    own, theirs = (source.mac, source.address(6)), (target_mac, address)
    return neighbour_advertisement(own, theirs, source.address(6))


def is_honest(frame: bytes) -> bool:
    return HONEST in frame


@pytest.mark.proves("Isolation of networks", "IPv4 IPv6", "same across")
@pytest.mark.parametrize(
    ("version", "cidr", "addresses"),
    [(4, "10.2.0.0/24", "10.2.0.11 10.2.0.12"), (6, "fd02::/64", "fd02::11 fd02::12")],
)
def test_two_networks_of_one_cidr_on_the_same_hosts_do_not_hear_each_other(
    lab: Lab,
    make_network: MakeNetwork,
    make_machines: MakeMachines,
    version: int,
    cidr: str,
    addresses: str,
) -> None:
    red = make_machines(make_network(cidr), "red1 red2", "h1 h2", addresses)
    blue = make_machines(make_network(cidr), "blue1 blue2", "h1 h2", addresses)

    with ExitStack() as stack:
        red1, red2 = (frames_of(lab, machine, stack) for machine in red)
        blue1, blue2 = (frames_of(lab, machine, stack) for machine in blue)
        for target in (broadcast, STRANGER_MAC, *(machine.mac for machine in blue)):
            red1.send(udp(version, red[0], target, blue[1], LIE))
            red1.send(claim(version, red[0], target, blue[1]))
        say_honestly(red1, red[0], red[1], version)
        say_honestly(blue1, blue[0], blue[1], version)
        red2.wait_for("red's own words", is_honest)
        blue2.wait_for("blue's own words", is_honest)

        for deaf in (blue1, blue2):
            assert not [f for f in deaf.heard() if f[6:12] == mac(red[0].mac).to_bytes(6, "big")]
        assert not [f for f in red2.heard() if f[6:12] == mac(blue[0].mac).to_bytes(6, "big")]
    pings = lab.ping_all({machine.name: machine.address(version) for machine in red})
    assert pings.ok == pings.total == 2
    lab.unplug([*red, *blue])


def lies(liar: Machine, target: Machine, victim: Machine) -> dict[str, bytes]:
    """What `liar` must not be able to say to `target`, by what is wrong with it."""
    me, you = (liar.mac, v4(liar)), (target.mac, v4(target))
    own, yours = (liar.mac, link_local(liar)), (target.mac, link_local(target))
    return {
        "another MAC": udp4((STRANGER_MAC, me[1], 1), (*you, 2), LIE),
        "a neighbour's MAC": udp4((victim.mac, me[1], 1), (*you, 2), LIE),
        "a neighbour's address": udp4((me[0], v4(victim), 1), (*you, 2), LIE),
        "an address of nobody": udp4((me[0], "192.0.2.1", 1), (*you, 2), LIE),
        "an IPv6 address of nobody": udp6((me[0], "fd00::1", 1), (*yours, 2), LIE),
        "a neighbour's link-local address": udp6((me[0], link_local(victim), 1), (*yours, 2), LIE),
        "ARP for a neighbour's address": arp(
            me[0], you[0], operation=2, sender=(me[0], v4(victim)), asked=you[1]
        ),
        "ARP with another MAC": arp(
            me[0], you[0], operation=2, sender=(STRANGER_MAC, me[1]), asked=you[1]
        ),
        "a broadcast ARP for a neighbour's address": arp(
            me[0], broadcast, operation=1, sender=(me[0], v4(victim)), asked=v4(victim)
        ),
        "an advertisement of a neighbour's address": neighbour_advertisement(
            own, yours, link_local(victim)
        ),
        "a DHCP server's answer": udp4((*me, 67), (*you, 68), LIE),
        "a DHCP server's broadcast": udp4((*me, 67), (broadcast, "255.255.255.255", 68), LIE),
        "a DHCPv6 server's answer": udp6((*own, 547), (*yours, 546), LIE),
        "a kind of frame that is none of ours": ethernet(me[0], you[0], 0x88B5, LIE),
    }


@pytest.mark.proves("Port security", "IPv4 IPv6", "same across")
def test_a_machine_that_lies_about_itself_or_plays_the_server_is_not_heard(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    liar, same, far, victim = make_machines(
        make_network("10.3.0.0/24"), "liar same far victim", "h1 h1 h2 h2"
    )

    with ExitStack() as stack:
        mouth = frames_of(lab, liar, stack)
        ears = {m.name: frames_of(lab, m, stack) for m in (same, far)}
        for target in (same, far):
            told = lies(liar, target, victim)
            for lie in told.values():
                mouth.send(lie)
            say_honestly(mouth, liar, target)
            ears[target.name].wait_for("honest words", is_honest)

            heard = [frame[12:] for frame in ears[target.name].heard()]
            assert not [why for why, lie in told.items() if lie[12:] in heard]
            assert not [frame for frame in heard if LIE in frame]


def test_a_deleted_port_is_cut_off_at_once_and_its_address_can_be_given_out_again(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network_id = make_network("10.4.0.0/24")
    stays, goes = make_machines(network_id, "stays goes", "h1 h2")
    assert lab.ping_all({m.name: v4(m) for m in (stays, goes)}).ok == 2

    revision = lab.api.delete(PORT, goes.port_id)
    assert lab.api.wait(revision, 30).converged
    with ExitStack() as stack:
        hears, mouth = (frames_of(lab, machine, stack) for machine in (stays, goes))
        mouth.send(udp4((goes.mac, v4(goes), 1), (stays.mac, v4(stays), 2), LIE))

        again = make_machines(network_id, "again", "h2", v4(goes))

        assert lab.ping_all({m.name: v4(m) for m in (stays, *again)}).ok == 2
        assert not [frame for frame in hears.heard() if LIE in frame]
    lab.unplug([goes])


def test_the_same_lies_are_heard_from_a_port_without_port_security(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    names, where = "trusted hears third", "h1 h2 h2"
    trusted, hears, victim = make_machines(make_network("10.9.0.0/24"), names, where)
    open_ = {"port_security_enabled": False, "security_groups": []}
    lab.api.update(PORT, hears.port_id, open_)  # or its groups would not let strangers in
    revision = lab.api.update(PORT, trusted.port_id, open_)[1]
    assert lab.api.wait(revision, 30).converged

    with ExitStack() as stack:
        mouth, ear = (frames_of(lab, machine, stack) for machine in (trusted, hears))
        told = lies(trusted, hears, victim)
        for lie in told.values():
            mouth.send(lie)
        say_honestly(mouth, trusted, hears)
        ear.wait_for("honest words", is_honest)

        heard = {frame[12:] for frame in ear.heard()}
        assert {why for why, lie in told.items() if lie[12:] in heard} >= {
            "another MAC",
            "a neighbour's address",
            "an address of nobody",
            "an IPv6 address of nobody",
        }
