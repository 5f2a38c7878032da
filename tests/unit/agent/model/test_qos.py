"""Where ports have their meters: a slot each, and the same again after a restart."""

from alcor.agent.model.ports import meter
from alcor.agent.model.ports.qos import Qos, slots_max
from alcor.goal_state.entries import Limit, Network, Port, QosPolicy
from alcor.values.addresses import mac

PURPOSES = [(ingress, per_packet) for ingress in (False, True) for per_packet in (False, True)]


def network(physical_network: str) -> Network:
    return Network("n", 7, 1_450, True, "", physical_network)


def port(id_: str, policy_id: str) -> Port:
    return Port(id_, "n", mac("02:00:00:00:00:01"), (), True, True, "", "", qos_policy_id=policy_id)


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


def test_a_queue_is_a_port_s_own_where_its_network_leaves_the_host() -> None:
    qos = Qos()
    qos.bridge_by_network = {"one": "br-one", "": "br-tun"}
    for id_, minimum in (("gold", 5), ("plain", 0)):
        qos.put(id_, QosPolicy(id_, minimum=minimum))
    for number, port_id in enumerate("abcde", 1):
        qos.assign(port_id, number)
    one, two, tunnelled = (network(name) for name in ("one", "two", ""))
    places = [
        (port("a", "gold"), one),
        (port("b", "gold"), tunnelled),
        (port("c", "plain"), one),
        (port("d", "gold"), two),  # of which the host has said nothing
        (port("e", ""), one),
        (port("f", "gold"), one),  # which is not plugged in
    ]

    assert qos.queues(places) == {"br-one": {2: 5_000}, "br-tun": {3: 5_000}}
    assert qos.queue("a", QosPolicy("gold", minimum=5), one) == 2
    assert qos.queue("d", QosPolicy("gold", minimum=5), two) == 0
    assert qos.queue("c", QosPolicy("plain"), one) == 0
