"""A host dies and its machine is started on another one, as Nova evacuates: it is reached there,
and the old host, when it comes back with the old machine, neither answers for it nor lets it speak.
"""

from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL

import pytest
from tests.system.conftest import converge_timeout_s, set_addresses, wait_active

from alcor.client.api import PORT
from alcor.lab import hosts, namespaces, parts
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysevac"
lab_hosts = 3

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


def questions(lab: Lab, machine: Machine, version: int) -> int:
    """How many echo requests a machine has been asked."""
    with namespaces.inside(lab.layout.machine_namespace(machine.name)):
        if version == 6:
            lines = Path("/proc/thread-self/net/snmp6").read_text().splitlines()
            return int(dict(line.split() for line in lines)["Icmp6InEchos"])
        lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
        names, values = (line.split() for line in lines if line.startswith("Icmp:"))
        return int(dict(zip(names, values, strict=True))["InEchos"])


@pytest.mark.parametrize("cidr", ["10.1.0.0/24", "fd00:1::/64"], ids=["IPv4", "IPv6"])
def test_an_evacuated_machine_is_reached_where_it_is_and_only_there(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, cidr: str
) -> None:
    network_id, version, dead = make_network(cidr), 6 if ":" in cidr else 4, lab.host("h1")
    body = {"network_id": network_id, "name": "before", "binding:host_id": "h1"}
    (port,) = lab.api.create(PORT, [body]).items
    (before,) = lab.plug([port])
    set_addresses(lab, [before])
    beside, there, third = make_machines(network_id, "beside there third", "h1 h2 h3")
    address = {each.name: each.address(version) for each in (before, beside, there, third)}
    assert not lab.ping_all(address, converge_timeout_s).unanswered

    parts.stop_agent(dead, SIGKILL)
    hosts.stop_switch(dead, SIGKILL)
    change = {"binding:host_id": "h2", "name": "after"}
    moved, _ = lab.api.update(PORT, port["id"], change)
    (after,) = lab.plug([moved])
    set_addresses(lab, [after])
    wait_active(lab, [port["id"]])
    target = after.address(version)
    reached = {each.name: each.address(version) for each in (after, there, third)}
    assert not lab.ping_all(reached, converge_timeout_s).unanswered

    hosts.reboot(dead)
    parts.start_agent(dead, lab.record)
    parts.wait_alive(lab.api, lab.hosts)
    reached["beside"] = beside.address(version)

    def cut_off() -> bool:
        """Who is beside the old machine reaches the new one, and the old one reaches nobody."""
        return not lab.ping_all(reached, 5).unanswered and not heard()

    def heard() -> bool:
        with lab.stream(before.name, third.address(version)) as speaks:
            wait_until("the old machine to ask", lambda: speaks.sent >= 20, converge_timeout_s)
        return len(speaks.result.lost) < speaks.result.sent

    wait_until("the old machine to be cut off", cut_off, converge_timeout_s)
    asked = questions(lab, before, version)
    with (
        lab.stream(beside.name, target) as near,
        lab.stream(third.name, target) as far,
    ):
        wait_until("answers", lambda: min(near.sent, far.sent) >= 50, converge_timeout_s)
    assert (near.result.lost, far.result.lost) == ((), ())
    assert questions(lab, before, version) == asked
    assert lab.api.show(PORT, port["id"])["status"] == "ACTIVE"
    lab.unplug([before])
    wait_active(lab, [port["id"]])  # what the old host says of it is not its state
    assert not lab.ping_all(reached, converge_timeout_s).unanswered
    lab.unplug([after, beside, there, third])
    for each in (after, beside, there, third):
        lab.api.delete(PORT, each.port_id)
