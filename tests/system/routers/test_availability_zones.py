"""A router leaves by hosts of the availability zone that it was asked for in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.system.routers.test_north_south import (
    Site,
    Talk,
    answers,
    lost_exit,
    make_world,
    space,
    speakers,
    stand,
)

from alcor.client.api import NODE
from alcor.lab import outside
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "syszones"
lab_hosts = 3
lab_uplinks = 2  # the third host has none, and the machine
timeout_s = 30.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.fixture
def site(lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines) -> Iterator[Site]:
    """A router that is to leave by `west`, which is the second host's zone."""
    put_in(lab, h1="east", h2="west")
    network_id = make_network("10.40.0.0/24", "fd40::/64")
    machines = make_machines(network_id, "far", "h3")
    yield from stand(lab, make_world(lab), network_id, machines, availability_zone_hints=["west"])


def put_in(lab: Lab, **zone_by_host: str) -> None:
    for host, zone in zone_by_host.items():
        revision = lab.api.update(NODE, host, {"availability_zone": zone})[1]
        assert lab.api.wait(revision, timeout_s).converged


def leaves_by(lab: Lab, site: Site, host: str) -> None:
    wait_until(f"{host} to speak", lambda: speakers(lab, site) == {host}, timeout_s)
    answers(space(lab, "far"), outside.beyond)
    with ExitStack() as stack:
        talk = Talk(stack, lab.layout.outside_namespace, space(lab, "far"), outside.gateway)
        assert talk.seen_as == site.gateway[4]
        assert talk.passes(b"zone" * 10_000)


def test_a_router_leaves_by_its_zone_and_by_another_while_that_has_no_host(
    lab: Lab, site: Site
) -> None:
    leaves_by(lab, site, "h2")
    put_in(lab, h1="west", h2="east")
    leaves_by(lab, site, "h1")

    with lost_exit(lab, site) as lost:
        assert lost == "h1"
        answers(space(lab, "far"), outside.beyond)

    leaves_by(lab, site, "h1")
