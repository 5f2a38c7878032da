"""What every host of a network is told of a port."""

import pytest
from tests.unit.planner.world import World

from alcor.goal_state.entries import Neighbour
from alcor.goal_state.slices import neighbour_key
from alcor.intent.records import AddressPair, NodeRecord, PortRecord


@pytest.mark.parametrize(
    ("secure", "wanted"), [(True, ["10.8.0.0/16"]), (False, ["0.0.0.0/0", "::/0"])]
)
def test_without_port_security_a_machine_may_have_every_address(
    secure: bool, wanted: list[str]
) -> None:
    mac = "fa:16:3e:00:00:01"
    port = PortRecord(
        id="p",
        network_id="n",
        project_id="",
        mac_address=mac,
        host="h1",
        port_security_enabled=secure,
        allowed_address_pairs=(AddressPair("10.8.0.0/16", mac),),
    )
    world = World(NodeRecord(id="h1", tunnel_ip="192.0.2.1"), port)

    entry = world.entry(neighbour_key("n", "p"))

    assert isinstance(entry, Neighbour)
    assert [str(pair.prefix) for pair in entry.pairs] == wanted
    assert {pair.mac for pair in entry.pairs} == {entry.mac}
