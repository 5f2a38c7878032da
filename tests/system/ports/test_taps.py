"""Tap services by packets: what is copied to a port of the cloud, once, and to nobody else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest
from tests.system.conftest import Groups, converge_timeout_s
from tests.system.obeyed import obeyed
from tests.system.tapped import FLOW, SERVICE, Ears, Taps, datagram, is_copied

from alcor.client.api import NETWORK, PORT, Kind
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.moving import MovingMachine
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "systaps"
lab_hosts = 2

TRUNK = Kind("trunk", "trunks", "/v2.0/trunks")

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Scene(NamedTuple):
    """A server and a client beside it on h1, one on h2; and probes in a network of their own, on
    each host, which no group lets hear or say anything."""

    server: Machine
    beside: Machine
    far: Machine
    probe_by_host: dict[str, Machine]
    mtu: int

    @property
    def machines(self) -> list[Machine]:
        return [self.server, self.beside, self.far, *self.probe_by_host.values()]


@pytest.fixture(scope="module")
def cast() -> list[Scene]:
    return []


@pytest.fixture
def scene(
    lab: Lab,
    cast: list[Scene],
    groups: Groups,
    make_network: MakeNetwork,
    make_machines: MakeMachines,
) -> Scene:
    if not cast:
        network_id = make_network("10.31.0.0/24", "fd00:31::/64")
        probes = make_network("10.32.0.0/24", "fd00:32::/64")
        server, beside, far = make_machines(network_id, "tpsrv tpnear tpfar", "h1 h1 h2")
        ears = make_machines(probes, "tpear1 tpear2", "h1 h2")
        open_to_all = groups.make("in 4", "in 6", "out 4", "out 6")
        for each in (server, beside, far):
            groups.put(each, open_to_all)
        for each in ears:
            groups.put(each, groups.make())
        mtu = int(lab.api.show(NETWORK, network_id)["mtu"])
        cast.append(Scene(server, beside, far, dict(zip(("h1", "h2"), ears, strict=True)), mtu))
    return cast[0]


@pytest.fixture
def ears(lab: Lab, scene: Scene) -> Iterator[Ears]:
    with ExitStack() as stack:
        yield Ears(lab, scene.machines, stack)


@pytest.fixture
def taps(lab: Lab) -> Iterator[Taps]:
    made = Taps(lab)
    yield made
    made.drop()


@pytest.mark.proves("Mirrors to a port (tap services)", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("host", ["h1", "h2"])
@pytest.mark.parametrize("version", [4, 6])
def test_what_passes_a_port_is_copied_once_to_the_tap_s_port_and_to_nobody_else(
    lab: Lab, scene: Scene, ears: Ears, taps: Taps, version: int, host: str
) -> None:
    server, beside, far, probe_by_host, mtu = scene
    probe = probe_by_host[host]
    service = taps.service(probe)
    flow = taps.flow(service, server)
    # The switch's port for copies comes a moment after the first tap.
    copied = is_copied(ears, version, beside, server, probe)
    wait_until("a copy", copied, converge_timeout_s)

    for source, target in ((beside, server), (server, beside), (far, server), (server, far)):
        for size in (100, mtu):
            frame = datagram(version, source, target, size)
            ears.send(source, frame)
            ears.wait_for(frame, target.name, probe.name)
            last = datagram(version, source, target)
            ears.send(source, last)
            ears.wait_for(last, target.name, probe.name)
            assert ears.heard(frame) == {target.name: 1, probe.name: 1}
    unheard = datagram(version, beside, far)
    ears.send(beside, unheard)
    ears.wait_for(unheard, far.name)
    assert ears.heard(unheard) == {far.name: 1}
    for kind, id_ in ((SERVICE, service), (FLOW, flow)):
        assert lab.api.show(kind, id_)["status"] == "ACTIVE"

    obeyed(lab, lab.api.delete(FLOW, flow))
    frame = datagram(version, beside, server)
    ears.send(beside, frame)
    ears.wait_for(frame, server.name)
    assert ears.heard(frame) == {server.name: 1}


@pytest.mark.parametrize(("direction", "copied"), [("IN", [0]), ("OUT", [1])])
def test_only_the_direction_asked_for_is_copied(
    scene: Scene, ears: Ears, taps: Taps, direction: str, copied: list[int]
) -> None:
    server, beside, _, probe_by_host, _ = scene
    probe = probe_by_host["h2"]
    taps.flow(taps.service(probe), server, direction)
    ends = [(beside, server), (server, beside)]
    wait_until("a copy", is_copied(ears, 4, *ends[copied[0]], probe), converge_timeout_s)
    frames = [datagram(4, *each) for each in ends]

    for (source, target), frame in zip(ends, frames, strict=True):
        ears.send(source, frame)
        ears.wait_for(frame, target.name)

    ears.wait_for(frames[copied[0]], probe.name)
    assert [i for i in (0, 1) if probe.name in ears.heard(frames[i])] == copied


def test_copies_are_not_copied(scene: Scene, ears: Ears, taps: Taps) -> None:
    """Two machines on two hosts, each the tap of the other: each frame is copied once a port."""
    server, beside, far, _, _ = scene
    taps.flow(taps.service(far), server)
    taps.flow(taps.service(server), far)
    wait_until("a copy", is_copied(ears, 4, beside, server, far), converge_timeout_s)
    wait_until("a copy", is_copied(ears, 4, beside, far, server), converge_timeout_s)

    to_far = datagram(4, server, far)
    ears.send(server, to_far)
    ears.wait_for(to_far, far.name, server.name)
    last = datagram(4, far, server)
    ears.send(far, last)
    ears.wait_for(last, far.name, server.name)

    wait_until(  # its copy as it is sent; and what is delivered there, whose copy comes back
        "all copies",
        lambda: ears.heard(to_far) == {far.name: 2, server.name: 1},
        converge_timeout_s,
    )
    for _ in range(20):
        ears.send(beside, datagram(4, beside, far))
    again = datagram(4, beside, far)
    ears.send(beside, again)
    ears.wait_for(again, far.name, server.name)
    assert ears.heard(to_far) == {far.name: 2, server.name: 1}
    assert ears.heard(again) == {far.name: 1, server.name: 1}


def test_copies_follow_a_tap_that_moves_and_end_with_its_port(
    lab: Lab, scene: Scene, taps: Taps, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    server, beside, *_ = scene
    (probe,) = make_machines(make_network("10.33.0.0/24"), "tpmoves", "h1")
    service = taps.service(probe)
    flow = taps.flow(service, server)

    def hears(probe: Machine) -> None:
        with ExitStack() as stack:
            ears = Ears(lab, [beside, probe], stack)
            copied = is_copied(ears, 4, beside, server, probe)
            wait_until("a copy", copied, converge_timeout_s)

    hears(probe)
    lab.unplug([probe])
    port, revision = lab.api.update(PORT, probe.port_id, {"binding:host_id": "h2"})
    (moved,) = lab.plug([port])
    obeyed(lab, revision)
    hears(moved)

    lab.unplug([moved])
    obeyed(lab, lab.api.delete(PORT, moved.port_id))
    for kind, id_ in ((SERVICE, service), (FLOW, flow)):
        assert not lab.api.list_page(kind, [("id", id_)])
    taps.forget(service)
    with ExitStack() as stack:
        ears = Ears(lab, scene.machines, stack)
        frame = datagram(4, beside, server)
        ears.send(beside, frame)
        ears.wait_for(frame, server.name)
        assert ears.heard(frame) == {server.name: 1}


def test_copies_go_to_both_hosts_while_a_tap_is_live_migrated(
    lab: Lab, scene: Scene, taps: Taps, make_network: MakeNetwork
) -> None:
    server, beside, *_ = scene
    network_id = make_network("10.34.0.0/24")
    body = {"network_id": network_id, "name": "tpmoving", "binding:host_id": "h1"}
    (port,) = lab.api.create(PORT, [body]).items
    (machine,) = lab.plug([port])
    moving = MovingMachine(lab.layout, machine)
    moving.plug(lab.host("h2"))
    # Its interface is a bridge, which keeps what is not for it to itself.
    ip_batch(["link set eth0 promisc on"], lab.layout.machine_namespace(machine.name))
    bindings = Kind("binding", "bindings", f"/v2.0/ports/{machine.port_id}/bindings")
    taps.flow(taps.service(machine), server)

    with ExitStack() as stack:
        ears = Ears(lab, [beside, machine], stack)
        wait_until("a copy", is_copied(ears, 4, beside, server, machine), converge_timeout_s)
        obeyed(lab, lab.api.create(bindings, [{"host": "h2"}]).revision)
        wait_until("a copy", is_copied(ears, 4, beside, server, machine), converge_timeout_s)
        moving.move(lab.host("h2"))
        wait_until("a copy", is_copied(ears, 4, beside, server, machine), converge_timeout_s)
        obeyed(lab, lab.api.act(bindings, "h2", "activate", {})[1])
        obeyed(lab, lab.api.delete(bindings, "h1"))
        wait_until("a copy", is_copied(ears, 4, beside, server, machine), converge_timeout_s)
        frame = datagram(4, beside, server)
        ears.send(beside, frame)
        ears.wait_for(frame, machine.name)
        assert ears.heard(frame) == {machine.name: 1}
    lab.unplug([moving.machine])


def test_a_sub_port_gets_copies_with_its_tag_alone(
    lab: Lab, scene: Scene, taps: Taps, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    server, beside, *_ = scene
    (parent,) = make_machines(make_network("10.35.0.0/24"), "tptrunk", "h2")
    body = {"network_id": make_network("10.36.0.0/24"), "name": "tpsub"}
    (sub,) = lab.api.create(PORT, [body]).items
    tagged = {"port_id": sub["id"], "segmentation_type": "vlan", "segmentation_id": 7}
    trunk = {"port_id": parent.port_id, "sub_ports": [tagged]}
    obeyed(lab, lab.api.create(TRUNK, [trunk]).revision)
    with lab.plug_behind(parent, {7: lab.api.show(PORT, sub["id"])}), ExitStack() as stack:
        (behind,) = lab.machines(["tpsub"])
        taps.flow(taps.service(behind), server)
        ears = Ears(lab, [beside, behind], stack)
        wait_until("a copy", is_copied(ears, 4, beside, server, behind), converge_timeout_s)
        frame = datagram(4, beside, server)
        ears.send(beside, frame)
        ears.wait_for(frame, behind.name)
        assert ears.heard(frame) == {behind.name: 1}
    lab.unplug([parent])
