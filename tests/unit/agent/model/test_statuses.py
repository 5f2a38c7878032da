"""A port is up only when everything it needs is there; otherwise the reason is said."""

import pytest

from alcor.agent.model.model import HostModel, Interface, Unit, UnitKind
from alcor.agent.model.statuses import WAITS, as_refused, port_states
from alcor.goal_state.entries import Network, Port
from alcor.goal_state.reports import PortStatus
from alcor.transport.link import PortState
from alcor.values.addresses import Mac

PORT = Port("p1", "n1", Mac(1), (), True, True, "", "")
NETWORK = Network("n1", 7, 1450, True, "")
PLUGGED = Interface(3, True)


def state_of(
    port: Port = PORT,
    network: Network | None = NETWORK,
    interface: Interface | None = PLUGGED,
    quarantined: str = "",
) -> tuple[PortStatus, str]:
    model = HostModel()
    model.put(port)
    if network is not None:
        model.put(network)
    model.set_interface("p1", interface)
    refused = {Unit(UnitKind.PORT, "p1"): quarantined} if quarantined else {}
    _, status, reason, _ = as_refused(port_states(model), refused)["p1"]
    return status, reason


def test_a_port_with_all_it_needs_is_up() -> None:
    assert state_of() == (PortStatus.UP, "")


def test_of_a_port_that_waits_for_its_machine_another_host_tells() -> None:
    model = HostModel()
    for each in (PORT._replace(waits=True), NETWORK):
        model.put(each)
    assert port_states(model) == {}  # and not that it is down

    model.set_interface("p1", PLUGGED)
    assert port_states(model)["p1"] == PortState("p1", PortStatus.UP, WAITS, 3)
    model.put(PORT)
    assert port_states(model)["p1"] == PortState("p1", PortStatus.UP, "", 3)


def test_an_interface_that_was_made_anew_is_another_state_of_its_port() -> None:
    model = HostModel()
    for each in (PORT, NETWORK):
        model.put(each)
    model.set_interface("p1", PLUGGED)
    before = port_states(model)

    model.set_interface("p1", None)
    model.set_interface("p1", Interface(4, True))

    assert port_states(model) != before
    assert port_states(model)["p1"] == PortState("p1", PortStatus.UP, "", 4)


@pytest.mark.parametrize(
    ("got", "status", "word"),
    [
        (state_of(PORT._replace(admin_state_up=False)), PortStatus.DOWN, "administratively"),
        (state_of(network=None), PortStatus.DOWN, "not known"),
        (state_of(network=NETWORK._replace(admin_state_up=False)), PortStatus.DOWN, "network"),
        (state_of(interface=None), PortStatus.DOWN, "no interface"),
        (state_of(interface=Interface(0, True)), PortStatus.DOWN, "not opened"),
        (state_of(interface=Interface(3, False)), PortStatus.DOWN, "not there"),
        (state_of(interface=Interface(-1, False)), PortStatus.DOWN, "not there"),
        (state_of(interface=Interface(-1, True, "no device")), PortStatus.FAILED, "no device"),
        (state_of(quarantined="bad match"), PortStatus.FAILED, "bad match"),
    ],
)
def test_what_is_missing_is_the_reason(
    got: tuple[PortStatus, str], status: PortStatus, word: str
) -> None:
    assert got[0] is status
    assert word in got[1]
