"""Limits of connections: set where the switch says others, told when they are met."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alcor.agent.drivers.connections import ConnectionLimits, zones_at_once
from alcor.agent.metrics import Metrics
from alcor.ovs.appctl import Declined

DATAPATH = "netdev@ovs-netdev"


class Switch:
    """A datapath's limits, as dpctl sets and shows them."""

    def __init__(self) -> None:
        self.limits: dict[int, int] = {}
        self.counts: dict[int, int] = {}
        self.asked: list[str] = []
        self.declines = False
        self.datapath_type = "netdev"  # of the bridge
        self.metrics = Metrics()

    async def ask(self, socket: Path, command: str, datapath: str, *words: str) -> str:
        assert datapath == DATAPATH
        self.asked.append(command)
        if self.declines:
            raise Declined("Operation not supported")
        if command == "dpctl/ct-set-limits":
            for word in words:
                zone, limit = (int(each.partition("=")[2]) for each in word.split(","))
                self.limits[zone] = limit
        elif command == "dpctl/ct-del-limits":
            for each in words[0].removeprefix("zone=").split(","):
                del self.limits[int(each)]
        lines = (
            f"zone={z},limit={n},count={self.counts.get(z, 0)}" for z, n in self.limits.items()
        )
        return "\n".join(("default limit=0", *lines))


@pytest.fixture
def switch() -> Switch:
    return Switch()


def limits(switch: Switch, tmp_path: Path, limit: int, zones: dict[int, str]) -> ConnectionLimits:
    (tmp_path / "ovs-vswitchd.1.ctl").touch()
    return ConnectionLimits(
        tmp_path, lambda: switch.datapath_type, limit, lambda: zones, switch.metrics, switch.ask
    )


def times_full(switch: Switch) -> float | None:
    labels = {"limit": "agent_connections_tracked"}
    return switch.metrics.registry.get_sample_value("alcor_limit_reached_total", labels)


def test_zones_have_their_limit_again_when_the_switch_has_forgotten_it(
    switch: Switch, tmp_path: Path
) -> None:
    zones = {1: "port a", 0xF001: "router r"}
    kept = limits(switch, tmp_path, 70, zones)
    asyncio.run(kept.keep())
    zones[2] = "port b"
    switch.limits[1] = 5  # somebody else's

    asyncio.run(kept.keep())
    assert switch.limits == {1: 70, 2: 70, 0xF001: 70}

    switch.limits.clear()
    asyncio.run(kept.keep())
    assert switch.limits == {1: 70, 2: 70, 0xF001: 70}
    switch.asked.clear()
    asyncio.run(kept.keep())
    assert switch.asked == ["dpctl/ct-get-limits"]


def test_a_switch_without_zones_is_not_asked(switch: Switch, tmp_path: Path) -> None:
    switch.declines = True  # no datapath exists before the first bridge does
    zones: dict[int, str] = {}
    kept = limits(switch, tmp_path, 70, zones)

    with capture_logs() as said:
        asyncio.run(kept.keep())

    assert (switch.asked, said) == ([], [])


def test_limits_are_of_the_datapath_that_the_bridge_has(switch: Switch, tmp_path: Path) -> None:
    """One that was made with another setting keeps its own: its ports had no limits any more."""
    switch.datapath_type = ""  # the switch has not said yet
    kept = limits(switch, tmp_path, 70, {1: "port a"})

    with capture_logs() as said:
        asyncio.run(kept.keep())
    assert (switch.asked, said) == ([], [])

    switch.datapath_type = "netdev"
    asyncio.run(kept.keep())
    assert switch.limits == {1: 70}


def test_many_zones_are_limited_by_several_calls(switch: Switch, tmp_path: Path) -> None:
    zones = dict.fromkeys(range(1, zones_at_once + 2), "port")

    asyncio.run(limits(switch, tmp_path, 70, zones).keep())

    assert set(switch.limits) == set(zones)
    assert switch.asked.count("dpctl/ct-set-limits") == 2


def test_who_reaches_the_limit_is_counted(switch: Switch, tmp_path: Path) -> None:
    kept = limits(switch, tmp_path, 70, {1: "port a", 2: "port b"})
    asyncio.run(kept.keep())
    assert not times_full(switch)
    switch.counts = {1: 70, 2: 69}

    asyncio.run(kept.keep())

    assert times_full(switch) == 1


def test_without_a_limit_those_of_before_go(switch: Switch, tmp_path: Path) -> None:
    switch.limits = {1: 70, 2: 70, 9: 3}

    asyncio.run(limits(switch, tmp_path, 0, {1: "port a", 2: "port b"}).keep())

    assert switch.limits == {9: 3}
    assert not times_full(switch)


def test_a_switch_that_can_not_limit_is_asked_again(switch: Switch, tmp_path: Path) -> None:
    kept = limits(switch, tmp_path, 70, {1: "port a"})
    switch.declines = True
    asyncio.run(kept.keep())
    switch.declines = False

    asyncio.run(kept.keep())

    assert switch.limits == {1: 70}
