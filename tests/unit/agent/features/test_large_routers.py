"""Routers on very many subnets: what a change of one costs its hosts."""

import sys
from types import FrameType

from alcor.agent.compiler.unit_flows import unit_flows
from alcor.agent.model.model import HostModel, Tunnel
from alcor.agent.model.unit import Unit, UnitKind
from alcor.goal_state.entries import (
    FixedIp,
    Gateway,
    Network,
    Router,
    RouterInterface,
    Subnet,
    UplinkNode,
)
from alcor.values.addresses import Mac, address, prefix


def region(subnets: int) -> HostModel:
    """A router on so many subnets, with a way outside."""
    model = HostModel()
    model.put(Network("n", 7, 1450, True, ""))
    model.put(Network("world", 8, 1500, True, "", "ext"))
    model.put(UplinkNode("ext", "h1", address("172.31.0.1")))
    model.put(Router("r", True, ()))
    model.put(Gateway("g", "r", "world", Mac(2), ()))
    for number in range(subnets):
        cidr = f"10.{number // 256}.{number % 256}"
        model.put(Subnet(f"s{number}", "n", prefix(f"{cidr}.0/24"), None, True, (), ()))
        here = FixedIp(f"s{number}", address(f"{cidr}.1"))
        model.put(RouterInterface(f"i{number}", "r", "n", Mac(100 + number), (here,)))
    return model


def test_a_router_between_networks_of_the_largest_mtu_that_a_region_may_have_has_its_flows() -> (
    None
):
    model = region(2)
    model.set_tunnel(Tunnel(100, address("172.31.0.1")))
    model.exits.set_uplinks({"ext": 7})
    model.put(Network("n", 7, 65_535, True, ""))

    assert list(unit_flows(model, Unit(UnitKind.ROUTER, "r")))


def calls(model: HostModel) -> int:
    """How many calls of Python's it takes to make the router's flows."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        flows = list(unit_flows(model, Unit(UnitKind.ROUTER, "r")))
    finally:
        sys.setprofile(before)
    assert len(flows) > 100
    return count


def test_a_router_on_four_times_the_subnets_costs_four_times_as_much() -> None:
    assert calls(region(400)) < 5 * calls(region(100))
