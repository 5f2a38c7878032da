"""`alcor doctor` on hosts of a lab: each thing that is broken is named, and nothing else is."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.fixtures.authority import Authority

from alcor.agent.config import AgentConfig
from alcor.agent.desired import state
from alcor.agent.doctor.examine import examine
from alcor.agent.doctor.finding import Finding, Health
from alcor.agent.doctor.underlay import opened
from alcor.client.api import NETWORK, PORT, SUBNET
from alcor.lab import hosts, namespaces, outside, parts
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import ofctl, vsctl
from alcor.lab.lab import Lab
from alcor.lab.waiting import wait_until
from alcor.transport.tls import TlsFiles
from alcor.values.addresses import address

lab_name = "sysdoctor"
lab_hosts = 2
lab_uplinks = 1
timeout_s = 30.0


class Patient:
    """A host, looked at from its own network namespace."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.host = lab, lab.host("h1")
        self.config = AgentConfig(
            host="h1",
            tunnel_ip=self.host.tunnel_ip,
            control_plane=lab.record.agents_target,
            ovs_rundir=str(self.host.folder),
            datapath_type="netdev",
            state_dir=str(self.host.folder / "agent"),
            bridge_mappings=f"{outside.physical_network}:{outside.bridge}",
        )

    def looked_at(self, now_s: Callable[[], float] = time.time, **other: str) -> list[Finding]:
        fields = {name: getattr(self.config, name) for name in AgentConfig.__struct_fields__}
        config = AgentConfig(**fields | other)
        with namespaces.inside(self.host.namespace):
            way = opened(address(config.tunnel_ip))
            underlay = way.__enter__()
        try:
            return asyncio.run(examine(config, self.lab.record.endpoint, now_s, underlay))
        finally:
            way.__exit__(None, None, None)

    def faults(self, **how: Any) -> dict[str, str]:
        """What is wrong, by check."""
        found = [each for each in self.looked_at(**how) if each.health is Health.FAULT]
        assert all(each.next_step for each in found), found
        return {each.check: each.says for each in found}

    @contextmanager
    def without_agent(self) -> Iterator[None]:
        parts.stop_agent(self.host)
        try:
            yield
        finally:
            parts.start_agent(self.host, self.lab.record)
            wait_until("the host to be well again", lambda: not self.faults(), timeout_s)


@pytest.fixture(scope="module")
def patient(lab: Lab) -> Patient:
    """A host with a machine, and another host with one on the same network."""
    network = lab.api.create(NETWORK, [{"name": "n"}]).items[0]["id"]
    subnet = {"network_id": network, "cidr": "10.70.0.0/24", "ip_version": 4}
    lab.api.create(SUBNET, [subnet])
    bodies = [{"network_id": network, "name": f"m{n}", "binding:host_id": f"h{n}"} for n in (1, 2)]
    created = lab.api.create(PORT, bodies)
    lab.plug(created.items)
    assert lab.api.wait(created.revision, timeout_s).converged
    one = Patient(lab)
    wait_until("the host to be well", lambda: not one.faults(), timeout_s)
    return one


def test_a_host_that_is_well_is_called_so(patient: Patient) -> None:
    found = patient.looked_at()

    assert {each.health for each in found} == {Health.GOOD}, found
    assert {each.check for each in found} == {
        *("database", "agent", "bridge", "mapping", "goal state", "interfaces", "flows", "mtu"),
        *("tunnels", "control plane", "clock"),
    }


def test_an_agent_that_has_ended_is_missed(patient: Patient) -> None:
    with patient.without_agent():
        assert patient.faults().keys() == {"agent"}


def test_flows_that_somebody_else_made_or_took_are_named(patient: Patient) -> None:
    with patient.without_agent():
        ofctl(patient.host, "add-flow", "br-int", "table=3,priority=7,ip,actions=drop")
        stale = "table=0,priority=9,cookie=0xa100000000000001,ip,actions=drop"
        ofctl(patient.host, "add-flow", "br-int", stale)
        says = {each.says for each in patient.looked_at() if each.check == "flows"}
        assert any("1 flows are foreign" in each and "table=3" in each for each in says)
        assert any("1 flows are stale" in each and "CLASSIFY" in each for each in says)
        ofctl(patient.host, "del-flows", "br-int")
        assert "missing" in patient.faults()["flows"]


def test_of_an_agent_of_another_release_it_says_that_instead_of_naming_all_flows(
    patient: Patient,
) -> None:
    path = patient.host.folder / "agent" / "goal-state"
    with patient.without_agent():
        saved = state.read(path)
        assert saved is not None
        for release, named in (("0.0.9, pipeline x", "0.0.9, pipeline x"), ("", "an older one")):
            state.write(path, msgspec.structs.replace(saved, release=release))
            ofctl(patient.host, "del-flows", "br-int")
            (told,) = [each for each in patient.looked_at() if each.check == "flows"]
            assert told.health is Health.UNKNOWN
            assert f"the agent is of another release ({named})" in told.says
    # The agent that is started says of which release it is, though nothing else has changed.

    def known() -> bool:
        return Health.UNKNOWN not in {each.health for each in patient.looked_at()}

    wait_until("the agent to say of which release it is", known, timeout_s)


def test_a_bridge_that_would_forward_by_itself_is_a_fault(patient: Patient) -> None:
    with patient.without_agent():
        vsctl(patient.host, "set", "Bridge", "br-int", "fail_mode=standalone")
        assert "standalone" in patient.faults()["bridge"]
        vsctl(patient.host, "del-br", "br-int")
        assert "there is no bridge br-int" in patient.faults()["bridge"]


def test_a_switch_that_has_ended_is_missed(patient: Patient) -> None:
    hosts.stop_switch(patient.host)
    try:
        found = patient.faults()
    finally:
        hosts.start_switch(patient.host)
    assert "ovs-vswitchd does not answer" in found["switch"]
    wait_until("the host to be well again", lambda: not patient.faults(), timeout_s)


def test_without_the_database_nothing_is_said_of_the_switch(
    patient: Patient, tmp_path: Path
) -> None:
    found = patient.faults(ovs_rundir=str(tmp_path))

    assert found.keys() == {"database"}


def test_a_host_that_does_not_answer_is_named(patient: Patient) -> None:
    other = patient.lab.host("h2").namespace
    ip_batch(["link set phys0 down"], other)
    try:
        found = patient.faults()
    finally:
        ip_batch(["link set phys0 up"], other)
    assert found == {"tunnels": "no answer from h2 (172.31.0.2)"}


def test_a_way_that_a_userspace_datapath_can_not_take_is_a_fault(patient: Patient) -> None:
    """The kernel would send by it, and pings would tell nothing."""
    here, other = patient.host.namespace, patient.lab.host("h2").tunnel_ip
    ip_batch(["link add beside0 type veth peer name beside1", "link set beside0 up"], here)
    ip_batch(
        ["addr add 172.31.0.99/24 dev beside0 noprefixroute", f"route add {other}/32 dev beside0"],
        here,
    )
    said = f"tunnels to {other} would leave by beside0, "
    try:
        wait_until(
            "the switch to hear of the route",
            lambda: patient.faults().get("tunnels", "").startswith(said),
            timeout_s,
        )
    finally:
        ip_batch(["link del beside0"], here)
    wait_until("the host to be well again", lambda: not patient.faults(), timeout_s)


def test_an_underlay_that_is_too_small_is_a_fault_here_and_on_the_way(patient: Patient) -> None:
    under = patient.lab.layout.underlay_namespace
    vsctl(patient.host, "set", "Interface", "br-phys", "mtu_request=1400")
    try:
        assert "the underlay takes 1400 bytes" in patient.faults()["mtu"]
    finally:
        vsctl(patient.host, "set", "Interface", "br-phys", "mtu_request=1600")
    ip_batch(["link set h2 mtu 1400"], under)
    try:
        assert "do not reach h2" in patient.faults()["mtu"]
    finally:
        ip_batch(["link set h2 mtu 1600"], under)


def test_a_certificate_that_ends_or_is_of_another_host_is_a_fault(
    patient: Patient, tmp_path: Path
) -> None:
    authority, stranger = Authority(tmp_path / "ours", days=99), Authority(tmp_path / "theirs")

    def said(files: TlsFiles) -> Finding:
        ca, certificate, key = map(str, files)
        looked_at = patient.looked_at(tls_ca=ca, tls_certificate=certificate, tls_key=key)
        (found,) = [each for each in looked_at if each.check == "certificate"]
        return found

    well = said(authority.files("h1", days=90))
    assert (well.health, well.says) == (Health.GOOD, "it is of h1, and ends in 90 days")
    assert "ends in 9 days" in said(authority.files("h1", days=9)).says
    assert "ended at 20" in said(authority.files("h1", days=-1)).says
    assert "is of 127.0.0.1, h2, and not of h1" in said(authority.files("h2", days=90)).says
    theirs = stranger.files("h1")
    mixed = said(authority.files("h1", days=90)._replace(authority=theirs.authority))
    assert (mixed.health, "can't be used" in mixed.says) == (Health.FAULT, True)


def test_clocks_that_differ_are_a_fault(patient: Patient) -> None:
    assert "ahead of" in patient.faults(now_s=lambda: time.time() + 60)["clock"]
    assert "behind" in patient.faults(now_s=lambda: time.time() - 60)["clock"]


def test_what_is_told_wrong_is_named(patient: Patient, tmp_path: Path) -> None:
    assert patient.faults(control_plane="127.0.0.1:1").keys() == {"control plane"}
    found = patient.faults(bridge_mappings="ext:br-none")
    assert "there is no bridge br-none" in found["mapping"]
    assert "no address 192.0.2.9" in patient.faults(tunnel_ip="192.0.2.9")["tunnels"]
    assert "never been told" in patient.faults(state_dir=str(tmp_path))["goal state"]
    (tmp_path / "goal-state").write_bytes(b"nonsense")
    assert "checksum" in patient.faults(state_dir=str(tmp_path))["goal state"]
    assert "of host h1" in patient.faults(host="h9")["goal state"]


def test_an_interface_of_no_port_of_this_host_is_named(patient: Patient) -> None:
    stranger = "11111111-2222-4333-8444-555555555555"
    words = ["add-port", "br-int", "stranger", "--", "set", "Interface", "stranger"]
    vsctl(patient.host, *words, "type=internal", f"external_ids:iface-id={stranger}")
    try:
        assert stranger in patient.faults()["interfaces"]
    finally:
        vsctl(patient.host, "del-port", "stranger")


def test_people_and_scripts_are_told_by_a_command(patient: Patient) -> None:
    config = patient.config
    words = ["-m", "alcor.cli.main", "doctor", "--host", "h1", "--tunnel-ip", config.tunnel_ip]
    words += ["--ovs-rundir", config.ovs_rundir, "--state-dir", config.state_dir]
    words += ["--datapath-type", config.datapath_type]
    words += ["--control-plane", "127.0.0.1:1", "--bridge-mappings", config.bridge_mappings]

    def told(*more: str) -> subprocess.CompletedProcess[str]:
        with namespaces.inside(patient.host.namespace):
            return subprocess.run(
                [sys.executable, *words, *more],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                env={**os.environ, "ALCOR_ENDPOINT": ""},
            )

    shown, scripted = told(), told("-f", "json")

    assert shown.returncode == scripted.returncode == 1, shown.stderr
    assert "can't be reached" in shown.stdout
    health = {each["check"]: each["health"] for each in json.loads(scripted.stdout)}
    assert (health["control plane"], health["clock"]) == ("fault", "unknown")
    assert {each for check, each in health.items() if check not in ("control plane", "clock")} == {
        "good"
    }
