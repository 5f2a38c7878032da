"""What Nova is to be told: each law in the words of its API."""

from typing import Any

from alcor.goal_state.reports import PortReport, PortStatus
from alcor.integrations.nova.events import State, Wired
from alcor.integrations.nova.tracker import Tracker
from alcor.intent.records import FixedIp, FloatingIpRecord, PortRecord

SERVER = "5e7a0000-0000-4000-8000-000000000001"
OTHER = "5e7a0000-0000-4000-8000-000000000002"


def port(id_: str = "p", **fields: Any) -> PortRecord:
    given = {"device_owner": "compute:nova", "device_id": SERVER, "host": "h1"} | fields
    fixed = given.pop("fixed_ips", ("10.0.0.5",))
    return PortRecord(
        id=id_, network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01",
        fixed_ips=tuple(FixedIp("s", each) for each in fixed), **given,
    )  # fmt: skip


def report(status: PortStatus, host: str = "h1", ofport: int = 0) -> PortReport:
    return PortReport("p", host, status, ofport=ofport)


def said(tracker: Tracker) -> list[tuple[str, str, str]]:
    """What is new, which Nova is then told."""
    news = tracker.news(100)
    tracker.told(news)
    assert not tracker.news(100)
    return [(e.name, e.server_uuid, e.status) for each in news for e in each.events]


def plugged(ofport: int = 0) -> Tracker:
    """Nova knows that p is up on h1."""
    tracker = Tracker({})
    tracker.all_ports({"p": port()})
    tracker.report(report(PortStatus.UP, ofport=ofport))
    assert said(tracker) == [("network-vif-plugged", SERVER, "completed")]
    return tracker


def test_a_port_that_comes_up_is_plugged_once() -> None:
    tracker = plugged()

    tracker.report(report(PortStatus.UP))

    assert said(tracker) == []


def test_it_does_not_matter_who_speaks_first() -> None:
    tracker = Tracker({})
    tracker.report(report(PortStatus.UP))
    tracker.all_ports({"p": port()})

    assert said(tracker) == [("network-vif-plugged", SERVER, "completed")]


def test_a_port_that_its_host_cannot_wire_is_plugged_with_failure() -> None:
    tracker = Tracker({})
    tracker.all_ports({"p": port()})
    tracker.report(report(PortStatus.FAILED))

    assert said(tracker) == [("network-vif-plugged", SERVER, "failed")]


def test_a_port_that_goes_down_is_unplugged() -> None:
    tracker = plugged()

    tracker.report(report(PortStatus.DOWN))

    assert said(tracker) == [("network-vif-unplugged", SERVER, "completed")]


def test_a_port_that_was_plugged_in_anew_before_nova_could_be_told_is_plugged_again() -> None:
    """Rebuilding a machine takes its interface away and makes another, and waits for it."""
    tracker = plugged(ofport=5)
    tracker.report(report(PortStatus.DOWN))
    assert [e.name for e in tracker.news(1)[0].events] == ["network-vif-unplugged"]  # but it failed

    tracker.report(report(PortStatus.UP, ofport=6))

    assert said(tracker) == [("network-vif-plugged", SERVER, "completed")]
    tracker.report(report(PortStatus.UP, ofport=6))
    assert said(tracker) == []


def test_an_interface_whose_number_nobody_said_before_is_not_taken_for_another() -> None:
    tracker = plugged()  # by an agent that said no number

    tracker.report(report(PortStatus.UP, ofport=6))
    assert said(tracker) == []
    tracker.report(report(PortStatus.UP))
    assert said(tracker) == []


def test_a_port_that_is_unbound_is_unplugged() -> None:
    tracker = plugged()

    tracker.port("p", port(host=""))

    assert said(tracker) == [("network-vif-unplugged", SERVER, "completed")]


def test_a_deleted_port_is_told_and_forgotten() -> None:
    tracker = plugged()

    tracker.port("p", None)

    assert said(tracker) == [("network-vif-deleted", SERVER, "completed")]
    assert said(tracker) == []


def test_a_detached_port_is_novas_own_doing() -> None:
    tracker = plugged()

    tracker.port("p", port(device_id="", device_owner="", host=""))

    assert said(tracker) == []


def test_a_port_given_to_another_machine_is_plugged_there() -> None:
    tracker = plugged()

    tracker.port("p", port(device_id=OTHER))

    assert said(tracker) == [("network-vif-plugged", OTHER, "completed")]


def test_other_addresses_are_a_change() -> None:
    tracker = plugged()

    tracker.port("p", port(fixed_ips=("10.0.0.6",)))

    assert said(tracker) == [("network-changed", SERVER, "completed")]


def test_a_floating_address_is_a_change_when_it_comes_and_when_it_goes() -> None:
    tracker = plugged()
    given = FloatingIpRecord(
        id="f", project_id="blue", floating_network_id="x", floating_ip_address="198.18.0.9",
        floating_port_id="fp", mac_address="fa:16:3e:00:00:02", port_id="p",
    )  # fmt: skip

    tracker.floating("f", given)
    assert said(tracker) == [("network-changed", SERVER, "completed")]
    tracker.floating("f", None)
    assert said(tracker) == [("network-changed", SERVER, "completed")]


def test_wired_on_the_next_host_of_a_migration_is_plugged_though_the_status_is_the_same() -> None:
    tracker = plugged()
    tracker.port("p", port(waiting_hosts=("h2",)))
    assert said(tracker) == []

    tracker.report(report(PortStatus.UP, "h2"))

    assert said(tracker) == [("network-vif-plugged", SERVER, "completed")]


def test_the_host_left_behind_may_say_that_it_is_down_and_nothing_follows() -> None:
    tracker = plugged()
    tracker.port("p", port(waiting_hosts=("h2",)))
    tracker.report(report(PortStatus.UP, "h2"))
    tracker.port("p", port(host="h2", waiting_hosts=("h1",)))
    said(tracker)

    tracker.report(report(PortStatus.DOWN, "h1"))

    assert said(tracker) == []


def test_ports_of_no_machine_are_nobodys_business() -> None:
    tracker = Tracker({})
    for fields in ({"device_owner": "network:dhcp"}, {"device_id": "x"}, {"device_owner": ""}):
        tracker.all_ports({"p": port(**fields)})
        tracker.report(report(PortStatus.UP))
        assert said(tracker) == []


def test_after_a_restart_only_what_changed_meanwhile_is_told() -> None:
    known = Wired(SERVER, State.UP, "h1", "10.0.0.5")
    told = {"p": known, "gone": known._replace(server=OTHER)}
    tracker = Tracker(told)
    tracker.report(PortReport("p", "h1", PortStatus.UP))
    assert said(tracker) == []  # before all ports are known, a missing one is not gone

    tracker.all_ports({"p": port()})

    assert said(tracker) == [("network-vif-deleted", OTHER, "completed")]


def test_a_change_while_nova_was_being_told_is_told_next() -> None:
    tracker = plugged()
    tracker.port("p", port(fixed_ips=("10.0.0.6",)))
    on_its_way = tracker.news(100)

    tracker.port("p", port(fixed_ips=("10.0.0.7",)))
    tracker.told(on_its_way)

    assert said(tracker) == [("network-changed", SERVER, "completed")]


def test_a_call_is_not_longer_than_allowed() -> None:
    tracker = Tracker({})
    tracker.all_ports({f"p{i}": port(f"p{i}") for i in range(10)})
    for i in range(10):
        tracker.report(PortReport(f"p{i}", "h1", PortStatus.UP))

    assert [len(each.events) for each in tracker.news(4)] == [1] * 4


def test_a_migration_that_is_given_up_and_tried_again_is_told_of_again() -> None:
    tracker = plugged()
    for _ in range(2):
        tracker.port("p", port(waiting_hosts=("h2",)))
        tracker.report(report(PortStatus.UP, "h2"))
        assert said(tracker) == [("network-vif-plugged", SERVER, "completed")]
        tracker.port("p", port())
        said(tracker)


def test_a_host_that_is_none_of_the_ports_says_nothing() -> None:
    tracker = plugged()

    tracker.report(report(PortStatus.UP, "h3"))
    tracker.report(report(PortStatus.DOWN, "h3"))

    assert said(tracker) == []


def test_a_machine_may_go_back_and_the_host_left_behind_is_not_where_it_goes() -> None:
    tracker = plugged()
    tracker.port("p", port(waiting_hosts=("h2",)))
    tracker.report(report(PortStatus.UP, "h2"))
    assert said(tracker) == [("network-vif-plugged", SERVER, "completed")]

    tracker.port("p", port(host="h2", waiting_hosts=("h1",)))
    tracker.report(report(PortStatus.UP, "h1"))  # its interface is still there
    tracker.report(report(PortStatus.UP, "h2"))
    assert said(tracker) == []
    tracker.port("p", port(host="h2"))
    tracker.port("p", port(host="h2", waiting_hosts=("h1",)))
    tracker.report(report(PortStatus.UP, "h1"))
    assert said(tracker) == [("network-vif-plugged", SERVER, "completed")]
