"""The zones of ports with local IPs: each its own, free again when nothing is translated."""

from alcor.agent.local_ips import LocalIps, zone_first, zone_last
from alcor.goal_state.entries import LocalIp, Port
from alcor.values.addresses import address, mac

VIRTUAL = LocalIp(address("10.0.0.100"), address("10.0.0.5"))


def port(id_: str, *local_ips: LocalIp) -> Port:
    hardware = mac("fa:16:3e:00:00:01")
    return Port(id_, "n", hardware, (), True, True, "", "", local_ips=local_ips)


def test_ports_have_zones_of_their_own_while_something_is_translated() -> None:
    zones = LocalIps()
    zones.change(None, port("p", VIRTUAL))
    zones.change(None, port("q", VIRTUAL))
    zones.change(None, port("r", VIRTUAL._replace(passthrough=True)))
    held = [zones.zone_of(each) for each in "pq"]
    assert len(set(held)) == 2
    assert all(zone is not None and zone_first <= zone <= zone_last for zone in held)
    assert zones.zone_of("r") is None
    zones.change(port("p", VIRTUAL), port("p", VIRTUAL, VIRTUAL))
    assert zones.zone_of("p") == held[0]
    zones.change(port("p", VIRTUAL), port("p"))
    zones.change(port("q", VIRTUAL), None)
    assert zones.zone_of("p") is zones.zone_of("q") is None


def test_when_all_zones_are_given_out_the_next_waits_for_one() -> None:
    zones = LocalIps()
    ids = [f"p{i}" for i in range(zone_last - zone_first + 1)]
    for id_ in ids:
        zones.change(None, port(id_, VIRTUAL))
    assert len({zones.zone_of(each) for each in ids}) == len(ids)
    late = port("late", VIRTUAL)
    zones.change(None, late)
    assert zones.zone_of("late") is None
    zones.change(port(ids[0], VIRTUAL), None)
    zones.change(late, late)
    assert zones.zone_of("late") is not None
