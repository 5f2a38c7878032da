"""Sub-ports of trunks in the agent's model: whose interface, and which number."""

from alcor.agent.model.model import HostModel, Interface, Unit, UnitKind
from alcor.agent.model.ports.sub_ports import number_first, number_last
from alcor.agent.model.statuses import port_states
from alcor.goal_state.entries import Network, Port
from alcor.goal_state.reports import PortStatus
from alcor.values.addresses import Mac

NETWORK = Network("n1", 7, 1450, True, "")
PARENT = Port("parent", "n1", Mac(1), (), True, True, "", "machine")
SUB_PORT = PARENT._replace(id="sub", device_id="trunk", parent_id="parent", vlan=10)


def model_of(*ports: Port) -> HostModel:
    model = HostModel()
    model.put(NETWORK)
    for port in ports:
        model.put(port)
    return model


def number_of(model: HostModel, port_id: str) -> int:
    wired = model.wired(port_id)
    assert wired is not None
    return wired.number


def test_a_sub_port_is_wired_with_its_parents_interface_and_a_number_of_its_own() -> None:
    model = model_of(PARENT, SUB_PORT)
    assert model.wired("sub") is None

    units = model.set_interface("parent", Interface(3, True))

    assert {Unit(UnitKind.PORT, "parent"), Unit(UnitKind.PORT, "sub")} <= units
    parent, sub = model.wired("parent"), model.wired("sub")
    assert parent is not None
    assert sub is not None
    assert (parent.ofport, parent.number) == (3, 3)
    assert sub.ofport == 3
    assert number_first <= sub.number <= number_last
    assert (model.port_at(3), model.port_at(sub.number)) == ("parent", "sub")
    assert sub.device_id == "machine"


def test_an_interface_of_a_sub_ports_own_name_says_nothing() -> None:
    model = model_of(PARENT, SUB_PORT)
    model.set_interface("sub", Interface(4, True))

    assert model.wired("sub") is None


def test_numbers_are_the_same_on_every_start_and_no_two_are_equal() -> None:
    many = [SUB_PORT._replace(id=f"sub{i}", vlan=i) for i in range(1, 300)]
    first, second = model_of(PARENT, *many), model_of(PARENT, *many)
    for model in (first, second):
        model.set_interface("parent", Interface(3, True))

    numbers = [number_of(first, each.id) for each in many]
    assert numbers == [number_of(second, each.id) for each in many]
    assert len(set(numbers)) == len(many)


def test_a_sub_port_gives_way_to_an_interface_that_comes_by_its_number() -> None:
    model = model_of(PARENT, SUB_PORT, PARENT._replace(id="other"))
    model.set_interface("parent", Interface(3, True))
    number = number_of(model, "sub")

    units = model.set_interface("other", Interface(number, True))

    assert Unit(UnitKind.PORT, "sub") in units
    assert number_of(model, "other") == number != number_of(model, "sub")
    assert model.port_at(number) == "other"


def test_a_sub_port_that_leaves_has_no_number_any_more() -> None:
    model = model_of(PARENT, SUB_PORT)
    model.set_interface("parent", Interface(3, True))
    number = number_of(model, "sub")

    model.put(SUB_PORT._replace(parent_id="", vlan=0))

    assert model.port_at(number) == ""
    assert model.wired("sub") is None
    assert not model.sub_ports.of("parent")


def test_a_sub_port_is_up_with_its_parents_interface() -> None:
    model = model_of(PARENT, SUB_PORT)
    _, status, reason, _ = port_states(model)["sub"]
    assert (status, reason) == (PortStatus.DOWN, "no interface on the switch names its parent")

    model.set_interface("parent", Interface(3, True))

    assert port_states(model)["sub"].status is PortStatus.UP
