"""A floating IP is translated by a router that another one leads to the machine from."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.system.routers.test_north_south import (
    FLOATING,
    ROUTER,
    Talk,
    answers,
    make_world,
    space,
    take_down,
)

from alcor.client.api import NETWORK, NODE, PORT, SUBNET
from alcor.lab import outside
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.record import Machine

lab_name = "systwice"
lab_hosts = 3
lab_uplinks = 2  # the third host has none
timeout_s = 30.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Site:
    """Machines behind an inner router, which a transit network joins with an outer one."""

    def __init__(
        self, lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, leaves_by: str
    ) -> None:
        self.lab, self.world = lab, make_world(lab)
        self.network = make_network("10.40.0.0/24")
        self.transit = make_network("10.41.0.0/24")
        gateway = {"network_id": self.world}
        self.inner = self._make(ROUTER, name="inner")["id"]
        lab.api.update(NODE, leaves_by, {"availability_zone": leaves_by})
        zone = {"availability_zone_hints": [leaves_by]}
        self.outer = self._make(ROUTER, external_gateway_info=gateway, **zone)["id"]
        (subnet,) = lab.api.list_page(SUBNET, [("network_id", self.network)])
        lab.api.act(ROUTER, self.inner, "add_router_interface", {"subnet_id": subnet["id"]})
        inner, outer = (self._join(each) for each in (self.inner, self.outer))
        self._lead(self.outer, "10.40.0.0/24", inner)
        self._lead(self.inner, "0.0.0.0/0", outer)
        self.machines = make_machines(self.network, "m1 m3", "h1 h3")
        for machine in self.machines:
            open_up = {"port_security_enabled": False, "security_groups": []}
            revision = lab.api.update(PORT, machine.port_id, open_up)[1]
            ip_batch(["route replace default via 10.40.0.1"], space(lab, machine.name))
        assert lab.api.wait(revision, timeout_s).converged

    def give(self, machine: Machine) -> str:
        """A floating IP, in force on all hosts."""
        body = {"floating_network_id": self.world, "port_id": machine.port_id}
        created = self.lab.api.create(FLOATING, [body | {"router_id": self.outer}])
        assert self.lab.api.wait(created.revision, timeout_s).converged
        return str(created.items[0]["floating_ip_address"])

    def take_down(self) -> None:
        self.lab.unplug(self.machines)
        for floating in self.lab.api.list_page(FLOATING):
            self.lab.api.delete(FLOATING, floating["id"])
        for router in (self.inner, self.outer):
            self.lab.api.update(ROUTER, router, {"routes": []})
        (subnet,) = self.lab.api.list_page(SUBNET, [("network_id", self.transit)])
        interface = {"subnet_id": subnet["id"]}
        self.lab.api.act(ROUTER, self.inner, "remove_router_interface", interface)
        take_down(self.lab, self.inner, self.network)
        take_down(self.lab, self.outer, self.transit)
        self.lab.api.delete(NETWORK, self.world)

    def _make(self, kind: Any, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.lab.api.create(kind, [fields]).items[0]
        return made

    def _join(self, router: str) -> str:
        port = self._make(PORT, network_id=self.transit)
        self.lab.api.act(ROUTER, router, "add_router_interface", {"port_id": port["id"]})
        return str(port["fixed_ips"][0]["ip_address"])

    def _lead(self, router: str, destination: str, nexthop: str) -> None:
        route = {"destination": destination, "nexthop": nexthop}
        self.lab.api.update(ROUTER, router, {"routes": [route]})


@pytest.fixture(params=["h1", "h2"], ids=["beside_a_machine", "by_a_host_without_machines"])
def site(
    request: pytest.FixtureRequest,
    lab: Lab,
    make_network: MakeNetwork,
    make_machines: MakeMachines,
) -> Iterator[Site]:
    found = Site(lab, make_network, make_machines, leaves_by=request.param)
    yield found
    found.take_down()


@pytest.mark.proves("Floating IPs behind a second router", "IPv4", "same across")
def test_a_machine_behind_two_routers_is_reached_and_seen_by_its_floating_ip(
    lab: Lab, site: Site
) -> None:
    out = lab.layout.outside_namespace
    for machine in site.machines:
        floating = site.give(machine)
        answers(out, floating)
        answers(space(lab, machine.name), outside.beyond)
        with ExitStack() as stack:
            inward = Talk(stack, space(lab, machine.name), out, floating)
            assert inward.passes(b"in" * 10_000)
        with ExitStack() as stack:
            outward = Talk(stack, out, space(lab, machine.name), outside.gateway)
            assert outward.seen_as == floating
            assert outward.passes(b"out" * 10_000)
