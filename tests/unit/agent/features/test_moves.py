"""Where each host sends the packets of a machine that is moved from one to another."""

import pytest
from tests.fixtures.compiled import compile_all

from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.goal_state.entries import FixedIp, Neighbour, Network, Port
from alcor.ovs import frames
from alcor.ovs.switch import Switch
from alcor.values.addresses import Address, Mac, address

OLD, NEW, THIRD = (address(f"192.0.2.{n}") for n in (1, 2, 3))
MINE_IP, MOVED_IP = address("10.0.0.1"), address("10.0.0.2")
MINE, MOVED = Mac(0x02_00_00_00_00_01), Mac(0x02_00_00_00_00_02)
NETWORK = Network("n", 7, 1450, True, "")
MINE_PORT = Port("mine", "n", MINE, (FixedIp("s", MINE_IP),), True, True, "", "")
HERE = MINE_PORT._replace(id="moved", mac=MOVED, fixed_ips=(FixedIp("s", MOVED_IP),))
WAITS = HERE._replace(waits=True)
BEFORE = Neighbour("moved", "n", MOVED, (MOVED_IP,), "old", OLD)
ABOUT_TO = BEFORE._replace(also=(NEW,))
MOVED_ON = BEFORE._replace(host="new", tunnel_endpoint=NEW, also=(OLD,))
AFTER = BEFORE._replace(host="new", tunnel_endpoint=NEW)
MINE_OFPORT, MOVED_OFPORT, TUNNEL_OFPORT = 3, 4, 9
FRAME = frames.ip_frame(MOVED, MINE, frames.udp4(MINE_IP.number, MOVED_IP.number, 1, 2, b"x"))


def model_of(here: Address, port: Port | None, neighbour: Neighbour, plugged: bool) -> HostModel:
    """A host with one machine, in the order in which things come, the neighbour last."""
    model = HostModel()
    model.set_tunnel(Tunnel(TUNNEL_OFPORT, here))
    for entry in (NETWORK, MINE_PORT, port, neighbour):
        if entry is not None:
            model.put(entry)
    model.set_interface("mine", Interface(MINE_OFPORT, True))
    if plugged:
        model.set_interface("moved", Interface(MOVED_OFPORT, True))
    return model


def reached(model: HostModel, *, by_tunnel: bool = False) -> set[str]:
    """Who gets what is sent to the machine that is moved: `here`, or tunnel endpoints."""
    switch = Switch(compile_all(model).values())
    fields = {"tun_id": NETWORK.vni, "tun_src": THIRD.number} if by_tunnel else {}
    sent = switch.trace(FRAME, TUNNEL_OFPORT if by_tunnel else MINE_OFPORT, fields).sent
    told = [
        str(Address(4, each.fields["tun_dst"])) if each.port == TUNNEL_OFPORT else "here"
        for each in sent
    ]
    assert len(told) == len(set(told))  # nobody gets it twice
    assert all(each.fields["tun_id"] == 7 for each in sent if each.port == TUNNEL_OFPORT)
    return set(told)


@pytest.mark.parametrize(
    ("here", "port", "neighbour", "plugged", "told"),
    [
        (THIRD, None, BEFORE, False, {str(OLD)}),
        (THIRD, None, ABOUT_TO, False, {str(OLD), str(NEW)}),
        (THIRD, None, MOVED_ON, False, {str(OLD), str(NEW)}),
        (THIRD, None, AFTER, False, {str(NEW)}),
        (OLD, HERE, BEFORE, True, {"here"}),
        (OLD, HERE, ABOUT_TO, True, {"here", str(NEW)}),
        (OLD, HERE, MOVED_ON, True, {"here", str(NEW)}),  # its port is told a moment later
        (OLD, WAITS, ABOUT_TO, True, {"here", str(NEW)}),  # its neighbour is
        (OLD, WAITS, MOVED_ON, True, {"here", str(NEW)}),
        (OLD, WAITS, MOVED_ON, False, {str(NEW)}),
        (OLD, None, MOVED_ON, False, {str(NEW)}),
        (NEW, WAITS, BEFORE, True, {"here", str(OLD)}),
        (NEW, WAITS, ABOUT_TO, False, {str(OLD)}),
        (NEW, WAITS, ABOUT_TO, True, {"here", str(OLD)}),
        (NEW, HERE, ABOUT_TO, True, {"here", str(OLD)}),
        (NEW, HERE, MOVED_ON, True, {"here", str(OLD)}),
        (NEW, HERE, AFTER, True, {"here"}),
        (NEW, HERE, BEFORE, True, {"here"}),  # moved without waiting: its neighbour is late
    ],
)
def test_what_is_sent_here_goes_to_every_host_that_may_have_the_machine(
    here: Address, port: Port | None, neighbour: Neighbour, plugged: bool, told: set[str]
) -> None:
    assert reached(model_of(here, port, neighbour, plugged)) == told


@pytest.mark.parametrize("port", [HERE, WAITS])
@pytest.mark.parametrize("neighbour", [BEFORE, ABOUT_TO, MOVED_ON, AFTER])
def test_what_comes_by_a_tunnel_goes_into_none_again(port: Port, neighbour: Neighbour) -> None:
    assert reached(model_of(NEW, port, neighbour, True), by_tunnel=True) == {"here"}
    assert reached(model_of(NEW, None, neighbour, False), by_tunnel=True) == set()
