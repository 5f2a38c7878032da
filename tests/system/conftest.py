"""Labs for system tests: real Open vSwitch, real DHCP clients, real packets.

Where Open vSwitch or root is missing these tests fail: a test that is not run proves nothing.
Each module has a lab of its own, of its own name, and takes it down.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alcor.client.api import NETWORK, PORT, SUBNET
from alcor.lab import lab as labs
from alcor.lab.lab import Lab
from alcor.lab.machines import give_address
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

converge_timeout_s = 30.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The module's lab: `lab_name` and `lab_hosts` of the module say which."""
    name, hosts = request.module.lab_name, request.module.lab_hosts
    labs.down(name)
    try:
        built = labs.up(name, hosts)
        yield built
        built.api.close()
    finally:
        labs.down(name)


@pytest.fixture
def make_network(lab: Lab) -> MakeNetwork:
    """A network with a subnet for each CIDR."""

    def make(*cidrs: str, name: str = "") -> str:
        network_id: str = lab.api.create(NETWORK, [{"name": name}]).items[0]["id"]
        for cidr in cidrs:
            version = 6 if ":" in cidr else 4
            body = {"network_id": network_id, "cidr": cidr, "ip_version": version}
            lab.api.create(SUBNET, [body])
        return network_id

    return make


@pytest.fixture
def make_machines(lab: Lab) -> MakeMachines:
    """Ports of a network, one for each host named, each with a machine that is ready to talk.

    `addresses` are asked for by name; machines set their addresses by hand, as no test here is
    about leases but those that say so.
    """

    def make(network_id: str, names: str, hosts: str, addresses: str = "") -> list[Machine]:
        wanted = addresses.split() or [""] * len(names.split())
        bodies = [
            _port(network_id, name, host, address)
            for name, host, address in zip(names.split(), hosts.split(), wanted, strict=True)
        ]
        created = lab.api.create(PORT, bodies)
        machines = lab.plug(created.items)
        set_addresses(lab, machines)
        wait_active(lab, [machine.port_id for machine in machines])
        assert lab.api.wait(created.revision, converge_timeout_s).converged
        return machines

    return make


def _port(network_id: str, name: str, host: str, address: str) -> dict[str, Any]:
    body: dict[str, Any] = {"network_id": network_id, "name": name, "binding:host_id": host}
    if address:
        body["fixed_ips"] = [{"ip_address": address}]
    return body


def set_addresses(lab: Lab, machines: list[Machine]) -> None:
    """What DHCP would have said, set by hand."""
    for machine in machines:
        for address in machine.addresses:
            give_address(lab.layout, machine, address, 64 if ":" in address else 24)


def wait_active(lab: Lab, port_ids: list[str]) -> None:
    """Wait until the switches have acknowledged these ports."""

    def active() -> bool:
        return all(lab.api.show(PORT, port_id)["status"] == "ACTIVE" for port_id in port_ids)

    wait_until("ports to be ACTIVE", active, converge_timeout_s)
