"""Tap services by packets: what is copied to a port of the cloud, once, and to nobody else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import NamedTuple

import pytest
from tests.system.conftest import Groups, converge_timeout_s

from alcor.client.api import NETWORK, PORT, Kind
from alcor.lab.frames import FrameSocket, udp4, udp6
from alcor.lab.hosts import appctl
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "systaps"
lab_hosts = 2

SERVICE = Kind("tap_service", "tap_services", "/v2.0/taas/tap_services")
FLOW = Kind("tap_flow", "tap_flows", "/v2.0/taas/tap_flows")
MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]
numbers = count(1)


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


class Ears:
    """What each machine has heard."""

    def __init__(self, lab: Lab, machines: list[Machine], stack: ExitStack) -> None:
        self._sockets = {
            each.name: stack.enter_context(FrameSocket(lab.layout.machine_namespace(each.name)))
            for each in machines
        }

    def send(self, sender: Machine, frame: bytes) -> None:
        """From the machine's own interface."""
        self._sockets[sender.name].send(frame)

    def heard(self, frame: bytes) -> dict[str, int]:
        """How many times each machine has heard exactly this frame, if at all."""
        counts = {name: each.heard().count(frame) for name, each in self._sockets.items()}
        return {name: times for name, times in counts.items() if times}

    def wait_for(self, frame: bytes, *names: str) -> None:
        """Until these have heard it."""
        what = f"{' and '.join(names)} to hear a frame"
        wait_until(what, lambda: self.heard(frame).keys() >= set(names), converge_timeout_s)


@pytest.fixture
def ears(lab: Lab, scene: Scene) -> Iterator[Ears]:
    with ExitStack() as stack:
        yield Ears(lab, scene.machines, stack)


def datagram(version: int, source: Machine, target: Machine, size: int = 100) -> bytes:
    """A UDP datagram in a packet of this size, unlike every other."""
    udp, head = {4: (udp4, 28), 6: (udp6, 48)}[version]
    mark = next(numbers).to_bytes(8, "big")
    ends = [(each.mac, each.address(version), 7_000) for each in (source, target)]
    return udp(ends[0], ends[1], mark.ljust(size - head, b"t"))


class Taps:
    """The taps of a lab; hosts obey each before it is answered."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._services: list[str] = []

    def service(self, machine: Machine) -> str:
        """A tap service of the machine's port."""
        made = self._lab.api.create(SERVICE, [{"port_id": machine.port_id}])
        self.obeyed(made.revision)
        self._services.append(str(made.items[0]["id"]))
        return self._services[-1]

    def flow(self, service: str, machine: Machine, direction: str = "BOTH") -> str:
        """A flow that copies what passes the machine's port."""
        body = {
            "tap_service_id": service,
            "source_port": machine.port_id,
            "direction": direction,
        }
        made = self._lab.api.create(FLOW, [body])
        self.obeyed(made.revision)
        return str(made.items[0]["id"])

    def obeyed(self, revision: str) -> None:
        """Wait until hosts obey."""
        assert self._lab.api.wait(revision, converge_timeout_s).converged
        for host in self._lab.hosts:
            appctl(host, "revalidator/wait")

    def forget(self, service: str) -> None:
        """It has gone by itself."""
        self._services.remove(service)

    def drop(self) -> None:
        """Delete all that were made."""
        for each in self._services:
            self.obeyed(self._lab.api.delete(SERVICE, each))
        self._services.clear()


@pytest.fixture
def taps(lab: Lab) -> Iterator[Taps]:
    made = Taps(lab)
    yield made
    made.drop()


def is_copied(
    ears: Ears, version: int, source: Machine, target: Machine, probe: Machine
) -> Callable[[], bool]:
    """Sends a new datagram whenever it is asked; whether the probe has heard one."""
    sent: list[bytes] = []

    def heard() -> bool:
        sent.append(datagram(version, source, target))
        ears.send(source, sent[-1])
        return any(probe.name in ears.heard(each) for each in sent)

    return heard


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

    taps.obeyed(lab.api.delete(FLOW, flow))
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
    taps.obeyed(revision)
    hears(moved)

    lab.unplug([moved])
    taps.obeyed(lab.api.delete(PORT, moved.port_id))
    for kind, id_ in ((SERVICE, service), (FLOW, flow)):
        assert not lab.api.list_page(kind, [("id", id_)])
    taps.forget(service)
    with ExitStack() as stack:
        ears = Ears(lab, scene.machines, stack)
        frame = datagram(4, beside, server)
        ears.send(beside, frame)
        ears.wait_for(frame, server.name)
        assert ears.heard(frame) == {server.name: 1}
