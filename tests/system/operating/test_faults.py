"""What breaks may break nothing else: agents, control plane, connections and switches."""

import re
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

import msgspec
import pytest
from tests.system.conftest import ControlPlane

from alcor.agent.pipeline import pipeline as p
from alcor.client.api import PORT
from alcor.lab import hosts, parts
from alcor.lab.lab import Lab
from alcor.lab.layout import LabHost
from alcor.lab.record import Machine
from alcor.lab.traffic.stream import Stream
from alcor.lab.waiting import wait_until

lab_name = "sysfault"
lab_hosts = 2
recover_timeout_s = 30.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Talk(NamedTuple):
    """Two machines on two hosts that can hear each other."""

    network_id: str
    near: Machine  # on h1
    far: Machine  # on h2


def heal(lab: Lab, control_plane: ControlPlane) -> None:
    """Everything runs again, so that the next test starts from a healthy lab."""
    if not control_plane.runs:
        control_plane.start()
    for host in lab.hosts:
        if not parts.agent_runs(host):
            parts.start_agent(host, lab.record)
    parts.wait_alive(lab.api, lab.hosts)


@pytest.fixture
def talk(
    lab: Lab, control_plane: ControlPlane, make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[Talk]:
    network_id = make_network("10.1.0.0/24")
    machines = make_machines(network_id, "near far", "h1 h2")
    ping(lab, machines)
    yield Talk(network_id, *machines)
    heal(lab, control_plane)
    lab.unplug(machines)
    for machine in machines:
        lab.api.delete(PORT, machine.port_id)


def ping(lab: Lab, machines: list[Machine], timeout_s: float = recover_timeout_s) -> None:
    result = lab.ping_all({m.name: m.addresses[0] for m in machines}, timeout_s)
    assert not result.unanswered


def flows(host: LabHost) -> dict[str, float]:
    """Every flow of the integration bridge, and for how long it has been there, in seconds."""
    ages = {}
    for line in hosts.ofctl(host, "dump-flows", "br-int", "--no-names").splitlines():
        age = re.search(r"duration=([\d.]+)s", line)
        if age:
            bare = re.sub(r"(duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*, ?", "", line)
            ages[bare.strip()] = float(age[1])
    return ages


def wait_flows(host: LabHost, wanted: set[str]) -> None:
    """Wait until exactly these flows are there."""
    what = f"the flows of {host.name}"
    wait_until(what, lambda: flows(host).keys() == wanted, recover_timeout_s)


def heard_change(lab: Lab, talk: Talk, host: LabHost) -> None:
    """Show that the switch's log would tell of changed flows: change some and put them back."""
    log = host.folder / "vswitchd.log"
    seen = log.stat().st_size
    for up in (False, True):
        revision = lab.api.update(PORT, talk.near.port_id, {"admin_state_up": up})[1]
        assert lab.api.wait(revision, recover_timeout_s).converged
    wait_until("flow changes in the log", lambda: b"FLOW_MOD" in log.read_bytes()[seen:], 20)
    ping(lab, [talk.near, talk.far])


def answered(stream: Stream, more: int) -> None:
    """Let `more` further packets of the stream be sent."""
    upto = stream.sent + more
    wait_until("the stream", lambda: stream.sent >= upto, 30)


def test_an_agent_killed_and_started_again_loses_no_ping_and_rewrites_no_flow(
    lab: Lab, talk: Talk
) -> None:
    host = lab.host("h1")
    hosts.appctl(host, "vlog/set", "vconn:file:dbg")
    heard_change(lab, talk, host)
    before = flows(host)
    log = host.folder / "vswitchd.log"
    seen = log.stat().st_size
    with lab.stream("near", talk.far.addresses[0]) as stream:
        answered(stream, 50)
        parts.stop_agent(host, signal.SIGKILL)
        answered(stream, 50)
        parts.start_agent(host, lab.record)
        wait_until("the agent's greeting", lambda: b"OFPST_FLOW" in log.read_bytes()[seen:], 20)
        revision = lab.api.update(PORT, talk.near.port_id, {"description": "after"})[1]
        assert lab.api.wait(revision, recover_timeout_s).converged
        answered(stream, 50)
    hosts.appctl(host, "vlog/set", "vconn:file:info")

    assert stream.result.lost == ()
    after = flows(host)
    assert after.keys() == before.keys()
    assert all(after[flow] > before[flow] for flow in before)  # as old as they were, and older
    told = log.read_bytes()[seen:]
    assert b"FLOW_MOD" not in told
    assert b"BUNDLE" not in told


def test_without_control_plane_traffic_goes_on_and_a_rebooted_host_forwards_from_its_own_disk(
    lab: Lab, talk: Talk, control_plane: ControlPlane
) -> None:
    host = lab.host("h1")
    before = flows(host).keys()
    with lab.stream("near", talk.far.addresses[0]) as stream:
        answered(stream, 20)
        control_plane.kill()
        answered(stream, 100)
    assert stream.result.lost == ()

    parts.stop_agent(host, signal.SIGKILL)
    hosts.reboot(host)
    assert not before & flows(host).keys()  # secure: nothing passes until the agent is there
    parts.start_agent(host, lab.record)

    wait_flows(host, set(before))
    ping(lab, [talk.near, talk.far])
    assert not control_plane.runs


def test_a_control_plane_that_comes_back_leaves_flows_as_they_are_and_takes_new_ports(
    lab: Lab, talk: Talk, control_plane: ControlPlane, make_machines: MakeMachines
) -> None:
    before = {host.name: flows(host) for host in lab.hosts}
    with lab.stream("near", talk.far.addresses[0]) as stream:
        answered(stream, 20)
        control_plane.kill()
        control_plane.start()
        parts.wait_alive(lab.api, lab.hosts)
        answered(stream, 50)
    assert stream.result.lost == ()

    # After the stream: the userspace datapath itself may lose a packet while a port is added.
    machines = make_machines(talk.network_id, "fresh", "h2")
    ping(lab, [talk.near, *machines])
    for host in lab.hosts:
        after = flows(host)
        # Who is new gets copies of broadcasts: those flows are made anew.
        kept = {k: age for k, age in before[host.name].items() if f"table={p.MULTICAST}," not in k}
        assert len(kept) > 100
        assert all(after.get(flow, 0) > age for flow, age in kept.items())
    lab.unplug(machines)


def test_a_switch_that_is_killed_has_its_flows_back_without_a_human(lab: Lab, talk: Talk) -> None:
    host = lab.host("h1")
    before = flows(host).keys()

    hosts.stop_switch(host, signal.SIGKILL)
    hosts.start_switch(host)

    wait_flows(host, set(before))
    ping(lab, [talk.near, talk.far])


class Cutter:
    """A way to the control plane that is cut after so many bytes, each time later, then never."""

    def __init__(self, target: str, cuts: list[int]) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._cuts = cuts
        self.cut = 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._door.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._sockets: list[socket.socket] = []
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            limit = self._cuts.pop(0) if self._cuts else None
            for source, target, most in ((client, server, None), (server, client, limit)):
                thread = threading.Thread(target=self._pass_on, args=(source, target, most))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(65536 if most is None else min(65536, most - passed)):
                target.sendall(data)
                passed += len(data)
                if passed == most:
                    self.cut += 1
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()


def test_an_agent_whose_connection_is_cut_in_the_middle_of_a_snapshot_converges(
    lab: Lab, talk: Talk
) -> None:
    host = lab.host("h1")
    bodies = [
        {"network_id": talk.network_id, "name": f"many{n}", "binding:host_id": "h2"}
        for n in range(200)
    ]
    created = lab.api.create(PORT, bodies)
    assert lab.api.wait(created.revision, recover_timeout_s).converged
    wanted = set(flows(host))
    parts.stop_agent(host)
    shutil.rmtree(host.folder / "agent")  # nothing to resume from
    hosts.ofctl(host, "del-flows", "br-int")
    cutter = Cutter(lab.record.agents_target.split(",")[0], [300, 2_000, 6_000, 10_000])

    parts.start_agent(host, msgspec.structs.replace(lab.record, agents_target=cutter.address))

    wait_flows(host, wanted)
    ping(lab, [talk.near, talk.far])
    assert cutter.cut == 4
    parts.stop_agent(host)
    cutter.close()
    for port in created.items:
        lab.api.delete(PORT, port["id"])
