"""What is done to agents, switches and rules loses nothing of what it is not about."""

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.system.conftest import SECURITY_GROUP, Groups, converge_timeout_s, sent

import alcor
from alcor.client.api import PORT
from alcor.lab import hosts, namespaces, parts
from alcor.lab.commands import ip_batch
from alcor.lab.interfaces import checksum_in_software
from alcor.lab.lab import Lab
from alcor.lab.layout import LabHost
from alcor.lab.record import Machine
from alcor.lab.traffic.stream import Stream
from alcor.lab.waiting import wait_until

pytestmark = pytest.mark.alone
lab_name = "syslost"
lab_hosts = 2
dense_s = 0.001
agent_s_max = 5.0  # until an agent has made a switch's flows again, on a busy machine

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Talk(NamedTuple):
    """Two machines on two hosts that can hear each other."""

    network_id: str
    near: Machine  # on h1
    far: Machine  # on h2


@pytest.fixture
def talk(lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines) -> Iterator[Talk]:
    network_id = make_network("10.1.0.0/22")
    machines = make_machines(network_id, "near far", "h1 h2")
    everybody = {each.name: each.addresses[0] for each in machines}
    assert not lab.ping_all(everybody, converge_timeout_s).unanswered
    yield Talk(network_id, *machines)
    lab.unplug(machines)
    for machine in machines:
        lab.api.delete(PORT, machine.port_id)


def tables(host: LabHost) -> set[int]:
    """The tables that have flows."""
    shown = hosts.ofctl(host, "dump-flows", "br-int", "--no-names")
    return {int(number) for number in re.findall(r"table=(\d+)", shown)}


@pytest.fixture
def other_version(tmp_path: Path) -> Path:
    """A copy of the sources whose pipeline has most of its stages in other tables."""
    copy = tmp_path / "alcor"
    shutil.copytree(Path(alcor.__file__).parent, copy, ignore=shutil.ignore_patterns("*.pyc"))
    pipeline = copy / "agent" / "pipeline" / "pipeline.py"
    text = pipeline.read_text()
    moved = re.sub(r"    Phase\((\d+)", lambda each: f"    Phase({_moved(int(each[1]))}", text)
    moved = re.sub(r"(?m)^        (\d+),$", lambda each: f"        {_moved(int(each[1]))},", moved)
    assert moved != text
    pipeline.write_text(moved)
    return tmp_path


def _moved(first_table: int) -> int:
    return first_table and first_table + 3


def test_an_agent_of_another_version_with_another_pipeline_takes_over_and_loses_nothing(
    lab: Lab, talk: Talk, other_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [
        {"network_id": talk.network_id, "name": f"many{n}", "binding:host_id": "h2"}
        for n in range(400)
    ]
    created = lab.api.create(PORT, bodies)
    assert lab.api.wait(created.revision, converge_timeout_s).converged
    host = lab.host("h1")
    ours = tables(host)
    first = min(ours - {0, 1})  # of those that are moved
    assert hosts.flow_count(host) > 1_000  # more than fit into one bundle as a rule

    with lab.stream(talk.near.name, talk.far.addresses[0], dense_s) as stream:
        sent(stream, more=50)
        parts.stop_agent(host)
        with monkeypatch.context() as newer:
            newer.setenv("PYTHONPATH", str(other_version))
            parts.start_agent(host, lab.record)
        wait_until("the new pipeline", lambda: first not in tables(host), 60)
        sent(stream, more=50)
        parts.stop_agent(host)
        parts.start_agent(host, lab.record)
        wait_until("the old pipeline", lambda: tables(host) == ours, 60)
        sent(stream, more=50)

    assert stream.result.lost == ()
    for port in created.items:
        lab.api.delete(PORT, port["id"])


def test_rules_and_groups_of_other_ports_change_and_nothing_is_lost(
    lab: Lab, talk: Talk, groups: Groups, make_machines: MakeMachines
) -> None:
    (other,) = make_machines(talk.network_id, "other", "h1")
    group_id = groups.make("in 4 icmp")
    groups.put(other, group_id)
    with lab.stream(talk.near.name, talk.far.addresses[0], dense_s) as stream:
        sent(stream, more=50)
        for number in range(10):
            rule_id = groups.rule(group_id, f"in 4 tcp {1000 + number}-{2000 + number}")
            groups.put(other, group_id, admin_state_up=bool(number % 2))
            groups.drop(rule_id)
        groups.put(other)
        sent(stream, more=50)

    assert stream.result.lost == ()
    lab.unplug([other])
    lab.api.delete(PORT, other.port_id)
    lab.api.delete(SECURITY_GROUP, group_id)


class Beside(NamedTuple):
    """Two ends of a bridge of Open vSwitch that nobody but itself looks after."""

    source: str  # a namespace
    target: str  # an address


@pytest.fixture
def beside(lab: Lab) -> Iterator[Beside]:
    host = lab.host("h1")
    spaces = [lab.layout.machine_namespace(name) for name in ("beside1", "beside2")]
    namespaces.create(spaces)
    words = ["--", "add-br", "br-beside", "--", "set", "Bridge", "br-beside"]
    words += ["datapath_type=netdev", "fail_mode=standalone"]
    for number, space in enumerate(spaces, start=1):
        ip_batch([f"link add beside{number} netns {host.namespace} type veth"
                  f" peer name eth0 netns {space}"])  # fmt: skip
        ip_batch([f"link set beside{number} up"], host.namespace)
        ip_batch(["link set eth0 up", f"addr add 192.0.2.{number}/24 dev eth0"], space)
        with namespaces.inside(space):
            checksum_in_software("eth0")
        words += ["--", "add-port", "br-beside", f"beside{number}"]
    hosts.vsctl(host, *words)
    yield Beside(spaces[0], "192.0.2.2")
    hosts.vsctl(host, "--", "del-br", "br-beside")
    namespaces.remove(spaces)


def test_a_switch_that_is_started_again_is_away_little_longer_than_by_itself(
    lab: Lab, talk: Talk, beside: Beside
) -> None:
    host = lab.host("h1")

    def flows_on(stream: Stream) -> None:
        waiting = stream.sent
        wait_until("packets", lambda: stream.answered_after(waiting) > 20, 60)

    with (
        lab.stream(talk.near.name, talk.far.addresses[0]) as ours,
        Stream(beside.source, beside.target) as own,
    ):
        for stream in (ours, own):
            sent(stream, more=50)
        hosts.stop_switch(host, signal.SIGTERM)
        hosts.start_switch(host)
        for stream in (ours, own):
            flows_on(stream)

    assert own.result.gap_s > 0  # it was away
    assert ours.result.gap_s <= own.result.gap_s + agent_s_max
