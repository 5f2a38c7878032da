"""Bandwidth that ports are guaranteed: queues of the uplink, and the flows that lead there.

The switch of these hosts runs in user space, where packets don't take the queue that a flow says:
that they do is for the kernel's switch. So the classes that the kernel has are looked at, and the
flows; and that packets still pass by the uplink.
"""

import asyncio
import re
import subprocess
import time
from collections.abc import Callable

from tests.system.conftest import set_addresses

from alcor.agent.config import AgentConfig
from alcor.agent.doctor.examine import examine
from alcor.agent.doctor.finding import Health
from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import namespaces, outside, parts
from alcor.lab.commands import run
from alcor.lab.hosts import appctl, ofctl, vsctl
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysqueue"
lab_hosts = 2
lab_uplinks = 2

MakeMachines = Callable[..., list[Machine]]
POLICY = Kind("policy", "policies", "/v2.0/qos/policies")
VLAN = 70
deadline_s = 60.0
link_kbps, guaranteed_kbps = 50_000, 6_000


def test_a_port_has_the_queue_of_its_guarantee_for_as_long_as_it_is_there(
    lab: Lab, make_machines: MakeMachines
) -> None:
    network_id = _vlan_network(lab)
    _say(lab, f"{outside.bridge}:{link_kbps}:")
    plain, far = make_machines(network_id, "plain far", "h1 h2")
    assert _classes(lab) == {}

    port = {"network_id": network_id, "name": "gold", "binding:host_id": "h1"}
    port |= {"qos_policy_id": _policy(lab)}
    created = lab.api.create(PORT, [port])
    (gold,) = lab.plug(created.items)
    set_addresses(lab, [gold])
    wait_until("its class", lambda: guaranteed_kbps in _classes(lab).values(), deadline_s)
    (queue,) = (int(each.split(":")[1], 16) - 1 for each, kbps in _classes(lab).items()
                if kbps == guaranteed_kbps)  # fmt: skip
    assert lab.api.wait(created.revision, deadline_s).converged
    (flow,) = (line for line in _flows(lab) if "set_queue" in line)
    assert f"set_queue:{queue}," in flow
    # Its neighbours have no class but the one of all others, and packets pass as before.
    assert len([each for each in _classes(lab) if each not in ("1:1", "1:fffe")]) == 1
    for source, target in ((gold, far), (far, gold), (plain, far)):
        _pings(lab, source, target)

    # What the switch does at last to what leaves, by the tag of the network and the queue.
    leaves = rf"push_vlan\(vid={VLAN},pcp=0\),set\(skb_priority\({queue:#x}\)\),\d+$"

    def queued() -> bool:
        _pings(lab, gold, far)
        return bool(re.search(leaves, appctl(lab.host("h1"), "dpctl/dump-flows"), re.MULTILINE))

    wait_until("a flow by the queue", queued, deadline_s)

    _check_doctor(lab)

    # An agent that starts anew finds what is there, and makes nothing again.
    before = vsctl(lab.host("h1"), "--columns=_uuid", "list", "QoS"), _classes(lab)
    _say(lab, f"{outside.bridge}:{link_kbps}:")
    wait_until("the port", lambda: lab.api.show(PORT, gold.port_id)["status"] == "ACTIVE", 60)
    assert (vsctl(lab.host("h1"), "--columns=_uuid", "list", "QoS"), _classes(lab)) == before

    lab.unplug([gold])
    wait_until("no class", lambda: _classes(lab) == {}, deadline_s)
    assert vsctl(lab.host("h1"), "list", "Queue").strip() == ""


def test_a_host_that_says_it_can_guarantee_nothing_takes_its_queues_away(lab: Lab) -> None:
    network_id = _vlan_network(lab)
    _say(lab, f"{outside.bridge}:{link_kbps}:")
    port = {"network_id": network_id, "name": "silver", "binding:host_id": "h1"}
    lab.plug(lab.api.create(PORT, [port | {"qos_policy_id": _policy(lab)}]).items)
    wait_until("its class", lambda: guaranteed_kbps in _classes(lab).values(), deadline_s)

    _say(lab, "")

    wait_until("no class", lambda: _classes(lab) == {}, deadline_s)
    wait_until("no such flow", lambda: "set_queue" not in str(_flows(lab)), deadline_s)


def _check_doctor(lab: Lab) -> None:
    """It finds the host well, and names the queues when somebody has taken them away."""
    host = lab.host("h1")
    config = AgentConfig(
        host="h1",
        tunnel_ip=host.tunnel_ip,
        control_plane=lab.record.agents_target,
        ovs_rundir=str(host.folder),
        datapath_type="netdev",
        state_dir=str(host.folder / "agent"),
        bridge_mappings=f"{outside.physical_network}:{outside.bridge}",
        resource_provider_bandwidths=f"{outside.bridge}:{link_kbps}:",
    )

    def health_by_check() -> dict[str, Health]:
        nowhere = OSError(0, "not looked for here")
        found = asyncio.run(examine(config, lab.record.endpoint, time.time, nowhere))
        return {each.check: each.health for each in found if each.check in ("queues", "flows")}

    well = {"queues": Health.GOOD, "flows": Health.GOOD}
    wait_until("all to be well", lambda: health_by_check() == well, deadline_s)
    parts.stop_agent(host)
    vsctl(host, "clear", "Port", "ext0", "qos")
    assert health_by_check() == well | {"queues": Health.FAULT}
    assert _classes(lab) == {}
    _say(lab, f"{outside.bridge}:{link_kbps}:")
    wait_until("the class again", lambda: guaranteed_kbps in _classes(lab).values(), deadline_s)


def _say(lab: Lab, bandwidths: str) -> None:
    """Have the first host's agent say what its uplink has."""
    host = lab.host("h1")
    parts.stop_agent(host)
    parts.start_agent(host, lab.record, "--resource-provider-bandwidths", bandwidths)
    parts.wait_alive(lab.api, [host])


def _vlan_network(lab: Lab) -> str:
    held = lab.api.list_page(NETWORK, [("name", "wire")])
    if held:
        return str(held[0]["id"])
    body = {
        "name": "wire",
        "provider:network_type": "vlan",
        "provider:physical_network": outside.physical_network,
        "provider:segmentation_id": VLAN,
    }
    network_id = str(lab.api.create(NETWORK, [body]).items[0]["id"])
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.70.0.0/24"}
    lab.api.create(SUBNET, [subnet])
    return network_id


def _policy(lab: Lab) -> str:
    made = str(lab.api.create(POLICY, [{"name": "gold"}]).items[0]["id"])
    rules = Kind(
        "minimum_bandwidth_rule",
        "minimum_bandwidth_rules",
        f"/v2.0/qos/policies/{made}/minimum_bandwidth_rules",
    )
    lab.api.create(rules, [{"min_kbps": guaranteed_kbps, "direction": "egress"}])
    return made


def _classes(lab: Lab) -> dict[str, int]:
    """What the kernel guarantees on the first host's uplink, in kbit/s, by class."""
    shown = run(
        "ip", "netns", "exec", lab.host("h1").namespace, "tc", "class", "show", "dev", "ext0"
    )
    found = re.findall(r"class htb (\S+) .*? rate (\d+)([KMG]?)bit", shown)
    factor = {"": 0.001, "K": 1, "M": 1_000, "G": 1_000_000}
    return {class_: int(int(number) * factor[unit]) for class_, number, unit in found}


def _flows(lab: Lab) -> list[str]:
    return ofctl(lab.host("h1"), "dump-flows", "br-int").splitlines()


def _pings(lab: Lab, source: Machine, target: Machine) -> None:
    words = ["ping", "-n", "-c1", "-W2", target.address(4)]

    def answered() -> bool:
        with namespaces.inside(lab.layout.machine_namespace(source.name)):
            done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        return "1 received" in done.stdout

    wait_until(f"{target.name} to answer {source.name}", answered, deadline_s)
