"""Where ports have their meters: a slot each, and the same again after a restart."""

from alcor.agent.model.ports import meter
from alcor.agent.model.ports.qos import Qos, slots_max
from alcor.goal_state.entries import Limit, QosPolicy

PURPOSES = [(ingress, per_packet) for ingress in (False, True) for per_packet in (False, True)]


def test_ports_whose_numbers_are_alike_have_slots_of_their_own() -> None:
    qos = Qos()
    numbers = {"a": 1, "b": 1 + slots_max, "c": 1 + 2 * slots_max, "d": 2}
    for port, number in numbers.items():
        qos.assign(port, number)

    assert len({qos.slot(port) for port in numbers}) == len(numbers)
    assert qos.slot("a") == 1


def test_a_slot_is_that_of_the_number_whatever_was_there_before() -> None:
    qos = Qos()
    for number in range(1, 200):
        qos.assign(f"p{number}", number)
    for number in range(1, 150):
        qos.assign(f"p{number}", None)
    qos.assign("p170", 7)
    qos.assign("q", 170)

    assert [qos.slot(each) for each in ("p170", "q", "p180")] == [7, 170, 180]


def test_no_two_meters_have_one_number() -> None:
    numbers = [
        meter.of_limit(slot, *purpose, 1, 1).id
        for slot in (0, 1, slots_max - 1)
        for purpose in PURPOSES
    ]
    numbers += [
        of(number).id
        for number in (1, 0xFEFF)
        for of in (meter.of_configuration, meter.of_faults, meter.of_questions)
    ]

    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < 262_144


def test_what_is_at_a_gateway_has_meters_of_its_own_while_it_has_a_policy() -> None:
    qos = Qos()
    policy = QosPolicy("q", (Limit(True, False, 8, 8), Limit(False, True, 5, 5)))
    qos.put(policy.id, policy)
    qos.assign("p", 7)

    assert qos.limits_of("q", "r") is None
    qos.assign_id("r", has_policy=True)
    found = qos.limits_of("q", "r")
    assert found is not None
    assert found.slot != qos.slot("p")
    meters = {each.id: each for each in found.meters()}
    (ingress,), (egress,) = found.ids(ingress=True), found.ids(ingress=False)
    assert (meters[ingress].rate, meters[ingress].per_packet) == (8, False)
    assert (meters[egress].rate, meters[egress].per_packet) == (5, True)
    again = Qos()
    again.put(policy.id, policy)
    again.assign_id("r", has_policy=True)
    assert again.limits_of("q", "r") == found  # a restart finds the meters that are there
    qos.put("q", None)
    assert qos.limits_of("q", "r") is None
    qos.put(policy.id, policy)
    qos.assign_id("r", has_policy=False)
    assert qos.limits_of("q", "r") is None
