"""Network ACLs by packets: what crosses the edge of a subnet, and what stays within.

Two subnets of one network, whose machines see each other on the link, so that nothing but the edge
is between them; their security groups let everything pass.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.system.filters.test_monitoring import Logs
from tests.system.obeyed import obeyed

from alcor.client.api import PORT, SUBNET, Kind
from alcor.lab.lab import Lab
from alcor.lab.machines import give_address
from alcor.lab.record import Machine
from alcor.lab.traffic.sessions import Protocol, Session, opens
from alcor.lab.waiting import wait_until

lab_name = "sysacl"
lab_hosts = 2
passes_s, fails_s, cut_s = 5.0, 0.7, 1.0
ACL = Kind("network_acl", "network_acls", "/alcor/v1/network-acls")
RULE = Kind("network_acl_rule", "network_acl_rules", "/alcor/v1/network-acl-rules")
EVERYTHING = ("in 4", "in 6", "out 4", "out 6")
NETS = {4: ("10.30.1", "10.30.2"), 6: ("fd00:30:1:", "fd00:30:2:")}

MakeNetwork = Callable[..., str]


class Place:
    """Machines of two subnets: `in1` and `in2` of the filtered one, `out` of the other."""

    def __init__(self, lab: Lab, network_id: str, group: str) -> None:
        self._lab, self._network_id = lab, network_id
        subnets = lab.api.list_page(SUBNET, [("network_id", network_id)])
        self._subnet = {
            (each["ip_version"], each["cidr"].split("/")[0]): each["id"] for each in subnets
        }
        self.machines = {
            name: self._machine(name, host, side, number, group)
            for name, host, side, number in (
                ("in1", "h1", 1, 11), ("in2", "h2", 1, 12), ("out", "h1", 0, 13),
            )
        }  # fmt: skip

    def filtered(self) -> list[str]:
        """The subnets of the filtered side."""
        return [self._subnet[4, "10.30.2.0"], self._subnet[6, "fd00:30:2::"]]

    def _machine(self, name: str, host: str, side: int, number: int, group: str) -> Machine:
        addresses = {4: f"{NETS[4][side]}.{number}", 6: f"{NETS[6][side]}:{number}"}
        body = {
            "network_id": self._network_id, "name": name, "binding:host_id": host,
            "security_groups": [group],
            "fixed_ips": [{"ip_address": each} for each in addresses.values()],
        }  # fmt: skip
        created = self._lab.api.create(PORT, [body])
        (machine,) = self._lab.plug(created.items)
        for version, address in addresses.items():
            give_address(self._lab.layout, machine, address, {4: 16, 6: 32}[version])
        assert self._lab.api.wait(created.revision, 30).converged
        return machine

    def acl(self) -> str:
        """An ACL of the filtered subnets, without rules."""
        body = {"network_id": self._network_id, "subnet_ids": self.filtered()}
        created = self._lab.api.create(ACL, [body])
        obeyed(self._lab, created.revision)
        acl_id: str = created.items[0]["id"]
        return acl_id

    def rule(self, acl_id: str, number: int, text: str) -> str:
        """Add a rule: `ingress|egress allow|deny 4|6 [PROTOCOL [FIRST[-LAST]]]`."""
        direction, action, version, *more = text.split()
        body: dict[str, Any] = {
            "network_acl_id": acl_id, "number": number, "direction": direction, "action": action,
            "ethertype": f"IPv{version}",
        }  # fmt: skip
        if more:
            body["protocol"] = more[0]
        if len(more) > 1:
            first, _, last = more[1].partition("-")
            body |= {"port_range_min": int(first), "port_range_max": int(last or first)}
        created = self._lab.api.create(RULE, [body])
        obeyed(self._lab, created.revision)
        rule_id: str = created.items[0]["id"]
        return rule_id

    def drop(self, rule_id: str) -> None:
        """Delete a rule."""
        obeyed(self._lab, self._lab.api.delete(RULE, rule_id))

    def end(self, acl_id: str) -> None:
        """Take an ACL from its subnets, and delete it."""
        obeyed(self._lab, self._lab.api.update(ACL, acl_id, {"subnet_ids": []})[1])
        self._lab.api.delete(ACL, acl_id)

    def ends(self, source: str, target: str, version: int) -> tuple[str, str, str]:
        """Namespaces, and the target's address."""
        names = (
            self._lab.layout.machine_namespace(self.machines[e].name) for e in (source, target)
        )
        return (*names, self.machines[target].address(version))  # type: ignore[return-value]

    def can(self, protocol: Protocol, source: str, target: str, version: int, port: int) -> bool:
        """Whether a session can be opened that is expected to be."""
        return opens(protocol, *self.ends(source, target, version), port, passes_s)

    def can_not(
        self, protocol: Protocol, source: str, target: str, version: int, port: int
    ) -> bool:
        """Whether no session can be opened."""
        return not opens(protocol, *self.ends(source, target, version), port, fails_s)


@pytest.fixture(scope="module")
def made() -> list[Place]:
    return []


@pytest.fixture
def place(made: list[Place], lab: Lab, make_network: MakeNetwork, groups: Any) -> Place:
    """Made once."""
    if not made:
        cidrs = ("10.30.1.0/24", "10.30.2.0/24", "fd00:30:1::/64", "fd00:30:2::/64")
        made.append(Place(lab, make_network(*cidrs), groups.make(*EVERYTHING)))
    return made[0]


@pytest.mark.proves("Network ACLs", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_what_crosses_the_edge_is_what_rules_allow_in_order(place: Place, version: int) -> None:
    assert place.can("tcp", "out", "in1", version, 80)
    acl = place.acl()
    assert place.can_not("tcp", "out", "in1", version, 80)
    assert place.can_not("udp", "in1", "out", version, 80)
    assert place.can("tcp", "in1", "in2", version, 80)

    place.rule(acl, 100, f"ingress allow {version} tcp 80-90")
    assert place.can_not("tcp", "out", "in1", version, 80)  # nothing lets answers out
    place.rule(acl, 100, f"egress allow {version}")
    for server in ("in1", "in2"):
        assert place.can("tcp", "out", server, version, 80)
        assert place.can_not("tcp", "out", server, version, 91)
        assert place.can_not("udp", "out", server, version, 80)
    denied = place.rule(acl, 50, f"ingress deny {version} tcp 85")
    assert place.can_not("tcp", "out", "in2", version, 85)
    assert place.can("tcp", "out", "in2", version, 86)
    place.drop(denied)
    assert place.can("tcp", "out", "in2", version, 85)
    place.end(acl)
    assert place.can("udp", "out", "in1", version, 80)


def test_an_acl_has_no_memory_a_rule_that_goes_ends_sessions_at_once(place: Place) -> None:
    acl = place.acl()
    rule = place.rule(acl, 10, "ingress allow 4 tcp 6001")
    place.rule(acl, 11, "ingress allow 4 tcp 6002")
    place.rule(acl, 10, "egress allow 4")
    with (
        Session("tcp", *place.ends("out", "in2", 4), 6001) as goes,
        Session("tcp", *place.ends("out", "in2", 4), 6002) as stays,
        Session("tcp", *place.ends("in1", "in2", 4), 6001) as within,
    ):
        assert all(each.ask(passes_s) for each in (goes, stays, within))

        place.drop(rule)

        # Within a second: the flows have gone, what the switch remembers goes a moment later.
        wait_until("the session to be cut", lambda: not goes.ask(cut_s), cut_s)
        assert stays.ask(cut_s)
        assert within.ask(cut_s)
    place.end(acl)


@pytest.mark.proves("Logs of network ACLs' decisions", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_what_an_acl_decides_is_written_down_where_it_is_decided(
    lab: Lab, place: Place, version: int
) -> None:
    logs, acl = Logs(lab), place.acl()
    place.rule(acl, 100, f"ingress allow {version} tcp 80")
    place.rule(acl, 100, f"egress allow {version} tcp")
    log = logs.make(resource_type="network_acl", resource_id=acl)
    told = {"network_acl_id": acl, "log_resource_ids": [log]}

    for server, host in (("in1", "h1"), ("in2", "h2")):
        ends = {"vm_port": place.machines[server].port_id, "protocol": "tcp"}
        assert place.can("tcp", "out", server, version, 80)
        assert place.can_not("tcp", "out", server, version, 81)
        assert place.can_not("udp", server, "out", version, 82)
        into, out = (
            {**told, **ends, "direction": "ingress"},
            {**told, **ends, "direction": "egress"},
        )
        logs.wait_for(host, action="ACCEPT", dst_port=80, **into)
        logs.wait_for(host, action="ACCEPT", src_port=80, **out)
        logs.wait_for(host, action="DROP", dst_port=81, **into)
        logs.wait_for(host, action="DROP", dst_port=82, **{**out, "protocol": "udp"})
    ports = {each.port_id for each in place.machines.values()}
    lines = [line for host in ("h1", "h2") for line in logs.lines(host)]
    assert place.machines["out"].port_id in ports - {line["vm_port"] for line in lines}

    logs.drop(log)
    before = logs.lines("h1")
    assert place.can_not("tcp", "out", "in1", version, 81)
    assert logs.lines("h1") == before
    place.end(acl)
