"""QoS policies by packets: how much arrives of what is sent, beside ports without a policy.

What passes a limit is measured as a share of what was sent, and compared with what the limit says
of the time that the sending really took: a slow machine changes neither.
"""

from typing import Any

import pytest
from tests.system.obeyed import obeyed

from alcor.client.api import NETWORK, PORT, Kind
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.flood import Flooded, flood, interval_s

pytestmark = pytest.mark.alone
lab_name = "sysqos"
lab_hosts = 2
POLICY = Kind("policy", "policies", "/v2.0/qos/policies")
count, payload_bytes = 600, 1_000
limit_kbps, burst_kbit = 800, 80
small_bytes = 20
few = (20, payload_bytes, interval_s)  # enough to see how they are marked


class Talk:
    """Two machines on two hosts, and a third beside the first."""

    def __init__(self, lab: Lab, network_id: str, machines: list[Machine]) -> None:
        self._lab, self.network_id = lab, network_id
        self.near, self.far, self.beside = machines

    def policy(self, **limits: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """A policy with these rules by type, and the rules' ids."""
        made = self._lab.api.create(POLICY, [{"name": "q"}]).items[0]["id"]
        return made, {type_: self.rule(made, type_, **of) for type_, of in limits.items()}

    def rule(self, policy_id: str, type_: str, **fields: Any) -> str:
        created = self._lab.api.create(_rules(policy_id, type_), [fields])
        obeyed(self._lab, created.revision)
        id_: str = created.items[0]["id"]
        return id_

    def change(self, policy_id: str, type_: str, rule_id: str, **fields: Any) -> None:
        obeyed(self._lab, self._lab.api.update(_rules(policy_id, type_), rule_id, fields)[1])

    def drop(self, policy_id: str, type_: str, rule_id: str) -> None:
        obeyed(self._lab, self._lab.api.delete(_rules(policy_id, type_), rule_id))

    def give(self, machine: Machine, policy_id: str | None) -> None:
        """Put a policy on a machine's port, or take it away."""
        fields = {"qos_policy_id": policy_id}
        obeyed(self._lab, self._lab.api.update(PORT, machine.port_id, fields)[1])

    def give_network(self, policy_id: str | None) -> None:
        fields = {"qos_policy_id": policy_id}
        obeyed(self._lab, self._lab.api.update(NETWORK, self.network_id, fields)[1])

    def sent(
        self,
        sender: Machine,
        receiver: Machine,
        version: int = 4,
        numbers: tuple[int, int, float] = (count, payload_bytes, interval_s),
    ) -> Flooded:
        """What becomes of datagrams from one to the other."""
        ends = [self._lab.layout.machine_namespace(each.name) for each in (sender, receiver)]
        return flood(ends[0], ends[1], receiver.address(version), *numbers)


def _rules(policy_id: str, type_: str) -> Kind:
    name = f"{type_}_rule"
    return Kind(name, f"{name}s", f"/v2.0/qos/policies/{policy_id}/{name}s")


@pytest.fixture(scope="module")
def talks() -> dict[str, Talk]:
    return {}


@pytest.fixture
def talk(lab: Lab, make_network: Any, make_machines: Any, talks: dict[str, Talk]) -> Talk:
    if not talks:
        network_id = make_network("10.40.0.0/24", "fd00:40::/64")
        machines = make_machines(network_id, "near far beside", "h1 h2 h1")
        talks["talk"] = Talk(lab, network_id, machines)
    return talks["talk"]


def is_limited(flooded: Flooded, rate_kbps: int = limit_kbps) -> bool:
    """Whether as much arrived as the limit lets pass in that time, give or take a third."""
    wanted = (rate_kbps * flooded.seconds + burst_kbit) * 1_000 / flooded.frame_bits
    return wanted * 0.66 < flooded.arrived < wanted * 1.33


@pytest.mark.proves("Bandwidth limits", "IPv4 IPv6", "across")
@pytest.mark.parametrize("version", [4, 6])
def test_what_a_machine_sends_is_limited_and_its_neighbour_is_not(talk: Talk, version: int) -> None:
    limits = {"max_kbps": limit_kbps, "max_burst_kbps": burst_kbit}
    policy, rules = talk.policy(bandwidth_limit=limits)
    talk.give(talk.near, policy)
    free = talk.sent(talk.beside, talk.far, version)
    limited = talk.sent(talk.near, talk.far, version)
    assert free.share > 0.95, free
    assert is_limited(limited), limited
    assert talk.sent(talk.far, talk.near, version).share > 0.95  # the other direction is free
    talk.change(policy, "bandwidth_limit", rules["bandwidth_limit"], max_kbps=3 * limit_kbps)
    assert is_limited(talk.sent(talk.near, talk.far, version), 3 * limit_kbps)
    talk.drop(policy, "bandwidth_limit", rules["bandwidth_limit"])
    assert talk.sent(talk.near, talk.far, version).share > 0.95
    talk.give(talk.near, None)


@pytest.mark.proves("Bandwidth limits", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_what_a_machine_receives_is_limited_wherever_it_comes_from(
    talk: Talk, version: int
) -> None:
    limits = {"max_kbps": limit_kbps, "max_burst_kbps": burst_kbit, "direction": "ingress"}
    policy, _ = talk.policy(bandwidth_limit=limits)
    talk.give(talk.near, policy)
    for sender in (talk.far, talk.beside):
        limited = talk.sent(sender, talk.near, version)
        assert is_limited(limited), limited
    assert talk.sent(talk.near, talk.far, version).share > 0.95
    talk.give(talk.near, None)
    assert talk.sent(talk.far, talk.near, version).share > 0.95


@pytest.mark.proves("Packet rate limits", "IPv4 IPv6", "same across")
@pytest.mark.parametrize(
    ("direction", "version", "where"),
    [
        ("egress", 4, "far"),
        ("ingress", 4, "beside"),
        ("egress", 6, "beside"),
        ("ingress", 6, "far"),
    ],
)
def test_packets_are_counted_whatever_their_size(
    talk: Talk, direction: str, version: int, where: str
) -> None:
    limits = {"max_kpps": 1, "max_burst_kpps": 1, "direction": direction}
    policy, rules = talk.policy(packet_rate_limit=limits)
    talk.give(talk.near, policy)
    other = {"far": talk.far, "beside": talk.beside}[where]
    sender, receiver = (talk.near, other) if direction == "egress" else (other, talk.near)
    # Far more than a thousand packets a second, and no more than an interface takes.
    limited = talk.sent(sender, receiver, version, (6_000, small_bytes, 0.0001))
    wanted = 1_000 * limited.seconds + 1_000
    assert wanted * 0.66 < limited.arrived < wanted * 1.33, limited
    talk.drop(policy, "packet_rate_limit", rules["packet_rate_limit"])
    talk.give(talk.near, None)


@pytest.mark.proves("DSCP marks", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_what_a_machine_sends_is_marked_and_what_it_receives_is_not(
    talk: Talk, version: int
) -> None:
    policy, rules = talk.policy(dscp_marking={"dscp_mark": 46})
    talk.give(talk.near, policy)
    for receiver in (talk.far, talk.beside):
        assert talk.sent(talk.near, receiver, version, few).marks == {46}
    assert talk.sent(talk.far, talk.near, version, few).marks == {0}
    talk.change(policy, "dscp_marking", rules["dscp_marking"], dscp_mark=8)
    assert talk.sent(talk.near, talk.far, version, few).marks == {8}
    talk.give(talk.near, None)
    assert talk.sent(talk.near, talk.far, version, few).marks == {0}


def test_ports_have_the_policy_of_their_network_unless_they_have_their_own(talk: Talk) -> None:
    of_network, _ = talk.policy(
        dscp_marking={"dscp_mark": 10},
        bandwidth_limit={"max_kbps": limit_kbps, "max_burst_kbps": burst_kbit},
    )
    own, _ = talk.policy(dscp_marking={"dscp_mark": 20})
    talk.give_network(of_network)
    talk.give(talk.near, own)
    assert talk.sent(talk.near, talk.far, numbers=few).marks == {20}
    assert talk.sent(talk.near, talk.far).share > 0.95
    limited = talk.sent(talk.beside, talk.far)
    assert limited.marks == {10}
    assert is_limited(limited), limited
    talk.give(talk.near, None)
    assert talk.sent(talk.near, talk.far, numbers=few).marks == {10}
    talk.give_network(None)
    assert talk.sent(talk.near, talk.far, numbers=few).marks == {0}
