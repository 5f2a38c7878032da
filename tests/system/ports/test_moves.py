"""A machine is moved from host to host, and loses what is sent while it is nowhere, but no more."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from tests.system.conftest import converge_timeout_s, sent, set_addresses, wait_active

from alcor.client.api import PORT, Kind
from alcor.lab.lab import Lab
from alcor.lab.moving import MovingMachine
from alcor.lab.record import Machine

lab_name = "sysmoves"
lab_hosts = 3
dense_s = 0.001  # between two packets of the stream that is counted

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Scene(NamedTuple):
    """A machine on h1 that can go to h2, where its cable is already, and one on each host."""

    moving: MovingMachine
    peers: list[Machine]


@pytest.fixture(params=["10.1.0.0/24", "fd00:1::/64"], ids=["IPv4", "IPv6"])
def scene(
    request: pytest.FixtureRequest, lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[Scene]:
    network_id = make_network(request.param)
    peers = make_machines(network_id, "old new third", "h1 h2 h3")
    body = {"network_id": network_id, "name": "moving", "binding:host_id": "h1"}
    (port,) = lab.api.create(PORT, [body]).items
    (machine,) = lab.plug([port])
    moving = MovingMachine(lab.layout, machine)
    set_addresses(lab, [machine])
    wait_active(lab, [machine.port_id])
    moving.plug(lab.host("h2"))
    everybody = {each.name: each.addresses[0] for each in (*peers, machine)}
    assert not lab.ping_all(everybody, converge_timeout_s).unanswered
    yield Scene(moving, peers)
    lab.unplug([moving.machine, *peers])
    for each in (moving.machine, *peers):
        lab.api.delete(PORT, each.port_id)


@pytest.mark.proves("Live migration", "IPv4 IPv6", "same across")
def test_a_machine_that_is_moved_loses_only_what_comes_while_it_is_nowhere(
    lab: Lab, scene: Scene
) -> None:
    moving, (old, new, third) = scene
    bindings = Kind("binding", "bindings", f"/v2.0/ports/{moving.machine.port_id}/bindings")
    target = moving.machine.addresses[0]

    def obeyed(revision: str) -> None:
        assert lab.api.wait(revision, converge_timeout_s).converged

    with (
        lab.stream(third.name, target, dense_s) as dense,
        lab.stream(old.name, target) as from_old,
        lab.stream(new.name, target) as from_new,
    ):
        streams = [dense, from_old, from_new]
        sent(*streams, more=20)
        obeyed(lab.api.create(bindings, [{"host": "h2"}]).revision)
        sent(*streams, more=20)
        before = [each.under_way() for each in streams]
        count = [each.sent for each in streams]
        moving.move(lab.host("h2"))
        after = [each.sent for each in streams]
        sent(*streams, more=20)  # its hosts do not know yet where it is
        obeyed(lab.api.act(bindings, "h2", "activate", {})[1])
        sent(*streams, more=20)
        obeyed(lab.api.delete(bindings, "h1"))
        sent(*streams, more=20)

    for each, waited, first, last in zip(streams, before, count, after, strict=True):
        while_nowhere = waited | set(range(first, last + 1))
        assert set(each.result.lost) <= while_nowhere
    wait_active(lab, [moving.machine.port_id])
    moving.unplug(lab.host("h1"))
    everybody = {each.name: each.addresses[0] for each in (old, new, third, moving.machine)}
    assert not lab.ping_all(everybody, converge_timeout_s).unanswered


def test_a_move_that_is_given_up_loses_nothing(lab: Lab, scene: Scene) -> None:
    moving, (old, new, third) = scene
    bindings = Kind("binding", "bindings", f"/v2.0/ports/{moving.machine.port_id}/bindings")
    target = moving.machine.addresses[0]
    with (
        lab.stream(third.name, target, dense_s) as dense,
        lab.stream(old.name, target) as from_old,
        lab.stream(new.name, target) as from_new,
    ):
        streams = [dense, from_old, from_new]
        sent(*streams, more=20)
        made = lab.api.create(bindings, [{"host": "h2"}])
        assert lab.api.wait(made.revision, converge_timeout_s).converged
        sent(*streams, more=20)
        gone = lab.api.delete(bindings, "h2")
        assert lab.api.wait(gone, converge_timeout_s).converged
        sent(*streams, more=20)

    assert [each.result.lost for each in streams] == [(), (), ()]
    moving.unplug(lab.host("h2"))
