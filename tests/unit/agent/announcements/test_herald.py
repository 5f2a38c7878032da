"""Machines hear of addresses that moved; endpoints that are new are woken once."""

from alcor.agent.announcements.herald import Herald, Outgoing, Owned
from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.goal_state.entries import Neighbour, Network, Port
from alcor.ovs.flow import Output
from alcor.ovs.packet import Packet
from alcor.values.addresses import Mac, address

HERE, THERE = address("172.31.0.1"), address("172.31.0.2")
OLD, NEW = Mac(0x0200000000AA), Mac(0x0200000000BB)
V4, V6 = address("10.0.0.9"), address("fd00::9")


def host() -> HostModel:
    model = HostModel()
    model.put(Network("n1", 7, 1450, True, ""))
    model.put(Network("n2", 8, 1450, True, ""))
    for number, network in ((1, "n1"), (2, "n1"), (3, "n2")):
        mac = Mac(0x020000000000 + number)
        model.put(Port(f"p{number}", network, mac, (), True, True, "", ""))
        model.set_interface(f"p{number}", Interface(number, True))
    model.set_tunnel(Tunnel(100, HERE))
    return model


def neighbour(mac: Mac, port: str = "q", network: str = "n1") -> Neighbour:
    return Neighbour(port, network, mac, (V4, V6), "h", HERE)


def ofport(outgoing: Outgoing) -> int:
    last = outgoing.actions[-1]
    assert isinstance(last, Output)
    return last.port


def test_an_address_that_moved_is_announced_to_the_networks_machines() -> None:
    herald, model = Herald(), host()
    herald.note(neighbour(OLD))
    assert not herald.take(model)

    herald.note(neighbour(NEW, port="again"))
    said = herald.take(model)

    assert sorted(map(ofport, said)) == [1, 1, 2, 2]
    arps = [Packet(each.frame) for each in said if Packet(each.frame)["arp_op"]]
    assert {(each["arp_spa"], each["arp_tpa"], each["arp_sha"]) for each in arps} == {
        (V4.number, V4.number, NEW)
    }
    others = [Packet(each.frame) for each in said if not Packet(each.frame)["arp_op"]]
    assert {(each["nd_target"], each["nd_tll"]) for each in others} == {(V6.number, NEW)}
    assert not herald.take(model)


def test_what_moved_while_the_switch_was_away_is_said_as_it_is_now_and_once() -> None:
    herald, model = Herald(), host()
    for _ in range(1000):
        herald.note(neighbour(OLD))
        herald.note(neighbour(NEW))

    said = [Packet(each.frame) for each in herald.take(model)]

    assert len(said) == 4
    assert {each["arp_sha"] for each in said if each["arp_op"]} == {NEW}


def test_no_more_is_remembered_for_a_switch_that_is_away_than_can_be_said_at_once() -> None:
    herald, model = Herald(frames_max=10), host()
    for mac in (OLD, NEW):
        for number in range(50):
            moved = neighbour(mac)._replace(addresses=(address(f"10.0.1.{number}"),))
            herald.note(moved)

    assert herald.left_out == 40
    said = {Packet(each.frame)["arp_spa"] for each in herald.take(model)}
    assert said
    assert said <= {address(f"10.0.1.{number}").number for number in range(40, 50)}


def test_the_owner_of_the_address_is_not_told() -> None:
    herald, model = Herald(), host()
    herald.note(neighbour(OLD))
    herald.note(neighbour(NEW, port="p1"))

    assert {ofport(each) for each in herald.take(model)} == {2}


def test_the_same_address_in_another_network_is_another_address() -> None:
    herald, model = Herald(), host()
    herald.note(neighbour(OLD))
    herald.note(neighbour(NEW, network="n2"))

    assert not herald.take(model)


def test_a_new_endpoint_is_woken_once_when_there_is_a_tunnel() -> None:
    herald, model = Herald(), host()
    tunnel, model.tunnel = model.tunnel, None
    herald.note(neighbour(OLD)._replace(tunnel_endpoint=THERE))
    assert not herald.take(model)

    model.tunnel = tunnel
    herald.note(neighbour(OLD)._replace(tunnel_endpoint=THERE))
    assert [ofport(each) for each in herald.take(model)] == [100]
    herald.note(neighbour(OLD)._replace(tunnel_endpoint=THERE))
    assert not herald.take(model)


def test_a_switch_that_was_restarted_is_told_the_way_again() -> None:
    herald, model = Herald(), host()
    model.put(neighbour(OLD)._replace(tunnel_endpoint=THERE))
    herald.note(neighbour(OLD)._replace(tunnel_endpoint=THERE))
    herald.take(model)

    herald.switch_is_new(model)

    assert [ofport(each) for each in herald.take(model)] == [100]


def test_what_does_not_fit_is_counted() -> None:
    herald, model = Herald(frames_max=3), host()
    herald.note(neighbour(OLD))
    herald.note(neighbour(NEW))

    assert len(herald.take(model)) == 3
    assert herald.left_out == 1


def test_what_moved_is_said_three_times_with_a_whole_interval_between() -> None:
    herald, model = Herald(), host()
    herald.note(neighbour(OLD))
    herald.note(neighbour(NEW))

    said = herald.take(model)

    assert len(said) == 4
    # The first interval after it was said may just be ending.
    assert [herald.again(model) for _ in range(4)] == [[], said, said, []]


def test_what_moved_on_meanwhile_is_not_said_again() -> None:
    herald, model = Herald(), host()
    herald.note(neighbour(OLD))
    herald.note(neighbour(NEW))
    herald.take(model)
    herald.again(model)

    herald.note(neighbour(OLD))
    again = herald.take(model)

    assert again
    assert [herald.again(model) for _ in range(4)] == [[], again, again, []]


def outside() -> HostModel:
    model = host()
    model.put(Network("n9", 9, 1450, True, "", physical_network="physnet1"))
    model.exits.set_uplinks({"physnet1": 50})
    return model


def test_what_is_answered_for_outside_is_said_there_three_times() -> None:
    herald, model = Herald(), outside()
    herald.note_outside({Owned("n9", V4, NEW)})

    said = herald.take(model)

    assert [ofport(each) for each in said] == [50]
    assert [herald.again(model) for _ in range(4)] == [[], said, said, []]


def test_what_another_host_answers_for_by_now_is_not_said_again() -> None:
    herald, model = Herald(), outside()
    herald.note_outside({Owned("n9", V4, NEW)})
    herald.take(model)
    herald.again(model)

    herald.note_outside(set())

    assert [herald.again(model) for _ in range(3)] == [[], [], []]
