"""A region whose tunnels are Geneve: hosts, networks and ranges of segmentation ids."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import pytest
from tests.system.conftest import converge_timeout_s
from tests.system.tapped import Ears, Taps, datagram, is_copied

from alcor.agent.config import AgentConfig
from alcor.agent.doctor.examine import examine
from alcor.agent.doctor.finding import Health
from alcor.agent.doctor.underlay import opened
from alcor.client.api import NETWORK, Kind
from alcor.client.connection import Refused
from alcor.lab import namespaces
from alcor.lab.hosts import appctl
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until
from alcor.values.addresses import address

lab_name = "sysgnv"
lab_hosts = 2
RANGE = Kind("network_segment_range", "network_segment_ranges", "/v2.0/network-segment-ranges")

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.fixture(scope="module")
def lab_settings() -> Mapping[str, str]:
    """Control plane and hosts have to agree."""
    return {"ALCOR_NETWORK__TUNNEL_TYPE": "geneve", "ALCOR_TUNNEL_TYPE": "geneve"}


def faults_of(lab: Lab, name: str) -> list[str]:
    """What `alcor doctor` finds wrong with a host."""
    host = lab.host(name)
    config = AgentConfig(
        host=name,
        tunnel_ip=host.tunnel_ip,
        tunnel_type="geneve",
        control_plane=lab.record.agents_target,
        ovs_rundir=str(host.folder),
        datapath_type="netdev",
        state_dir=str(host.folder / "agent"),
    )
    with ExitStack() as stack:
        with namespaces.inside(host.namespace):
            underlay = stack.enter_context(opened(address(host.tunnel_ip)))
        found = asyncio.run(examine(config, lab.record.endpoint, time.time, underlay))
    return [each.says for each in found if each.health is Health.FAULT]


@pytest.mark.proves("Geneve tunnels", "IPv4 IPv6", "across")
def test_machines_reach_each_other_in_geneve(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    machines = make_machines(make_network("10.95.0.0/24", "fd95::/64"), "g1 g2", "h1 h2")

    for version in (4, 6):
        everybody = {each.name: each.address(version) for each in machines}
        assert not lab.ping_all(everybody, converge_timeout_s).unanswered

    for host in lab.hosts:
        listens = appctl(host, "tnl/ports/show")
        assert "genev_sys_6081" in listens
        assert "vxlan" not in listens


def test_networks_are_of_that_type_and_of_no_other_kind_of_tunnel(lab: Lab) -> None:
    made = lab.api.create(NETWORK, [{"provider:network_type": "geneve"}]).items[0]
    usual = lab.api.create(NETWORK, [{}]).items[0]
    ranges = lab.api.list_page(RANGE)

    assert made["provider:network_type"] == usual["provider:network_type"] == "geneve"
    assert made["provider:segmentation_id"] == made["alcor:vni"] > 0
    assert [each["network_type"] for each in ranges if each["default"]] == ["geneve"]
    with pytest.raises(Refused, match="network_type value 'vxlan' not supported"):
        lab.api.create(NETWORK, [{"provider:network_type": "vxlan"}])
    body = {"network_type": "geneve", "minimum": 700, "maximum": 800, "project_id": "blue"}
    lab.api.create(RANGE, [{**body, "shared": False}])
    theirs = lab.api.create(NETWORK, [{"project_id": "blue"}]).items[0]
    assert theirs["provider:segmentation_id"] == 700


@pytest.mark.parametrize("version", [4, 6])
def test_copies_for_a_tap_are_in_geneve_by_a_port_of_their_own(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, version: int
) -> None:
    taps = Taps(lab)
    network_id = make_network(f"10.9{version}.0.0/24", f"fd9{version}::/64")
    names = [f"{name}{version}" for name in ("tgask", "tgsrv", "tgear")]
    asker, server, probe = made = make_machines(network_id, " ".join(names), "h1 h1 h2")
    taps.flow(taps.service(probe), server, "OUT")

    with ExitStack() as stack:
        ears = Ears(lab, made, stack)
        wait_until("a copy", is_copied(ears, version, server, asker, probe), converge_timeout_s)
        frame = datagram(version, server, asker)
        ears.send(server, frame)
        ears.wait_for(frame, asker.name, probe.name)
        assert ears.heard(frame) == {asker.name: 1, probe.name: 1}
    for host in ("h1", "h2"):
        assert faults_of(lab, host) == []
    assert "genev_sys_4798" in appctl(lab.host("h2"), "tnl/ports/show")
    taps.drop()
    lab.unplug(made)
