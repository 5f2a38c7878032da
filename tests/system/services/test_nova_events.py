"""Nova hears of a port when the switch has its flows, and when it is gone."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from tests.fixtures.nova import Nova
from tests.system.conftest import wait_active

from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab.lab import Lab
from alcor.lab.moving import MovingMachine
from alcor.lab.waiting import wait_until

SERVER = "5e7a0000-0000-4000-8000-000000000001"
lab_name = "sysnova"
lab_hosts = 2
told_timeout_s = 30.0


@pytest.fixture(scope="module")
def nova() -> Iterator[Nova]:
    with Nova() as server:
        yield server


@pytest.fixture(scope="module")
def lab_settings(nova: Nova) -> Mapping[str, str]:
    """Where Nova is."""
    return {"ALCOR_NOVA__ENDPOINT": nova.endpoint}


def port_of_nova(lab: Lab, name: str) -> Any:
    """A port for a machine on h1, on a network of its own."""
    network_id = lab.api.create(NETWORK, [{}]).items[0]["id"]
    lab.api.create(SUBNET, [{"network_id": network_id, "ip_version": 4, "cidr": "10.77.0.0/24"}])
    body = {"network_id": network_id, "name": name, "binding:host_id": "h1",
            "device_owner": "compute:nova", "device_id": SERVER}  # fmt: skip
    return lab.api.create(PORT, [body]).items[0]


def told_of(nova: Nova, port: Any) -> list[str]:
    """The events of a port so far, in order."""
    return [name for name, tag in nova.taken() if tag == port["id"]]


def test_a_machines_port_is_plugged_unplugged_and_deleted(lab: Lab, nova: Nova) -> None:
    port = port_of_nova(lab, "nova1")

    def hears(name: str) -> None:
        event = {"name": name, "tag": port["id"], "server_uuid": SERVER}
        wait_until(f"{name} of {port['id']}", partial(nova.took, event), told_timeout_s)

    machines = lab.plug([port])
    hears("network-vif-plugged")
    lab.unplug(machines)
    hears("network-vif-unplugged")
    lab.api.delete(PORT, port["id"])
    hears("network-vif-deleted")

    assert told_of(nova, port) == [
        "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted"]  # fmt: skip


def test_a_machine_that_is_rebuilt_while_nova_is_busy_is_plugged_again(
    lab: Lab, nova: Nova
) -> None:
    """Its interface goes and comes back; Nova waits to hear of the second, and heard of neither."""
    port = port_of_nova(lab, "nova3")
    machines = lab.plug([port])
    wait_until("its plugging", lambda: len(told_of(nova, port)) == 1, told_timeout_s)

    nova.statuses = [503] * 10_000
    calls = len(nova.calls)
    lab.unplug(machines)
    down = lambda: lab.api.show(PORT, port["id"])["status"] == "DOWN"  # noqa: E731
    wait_until("the port to be DOWN", down, told_timeout_s)
    wait_until("Nova to be told in vain", lambda: len(nova.calls) > calls, told_timeout_s)
    machines = lab.plug([port])
    wait_active(lab, [port["id"]])
    nova.statuses.clear()

    plugged = ["network-vif-plugged"] * 2
    wait_until("its second plugging", lambda: told_of(nova, port) == plugged, told_timeout_s)
    lab.unplug(machines)
    lab.api.delete(PORT, port["id"])


def test_a_machine_that_moves_is_plugged_there_before_nova_lets_it_go(lab: Lab, nova: Nova) -> None:
    """The calls of a live migration, in Nova's order."""
    port = port_of_nova(lab, "nova2")
    bindings = Kind("binding", "bindings", f"/v2.0/ports/{port['id']}/bindings")

    def plugged(times: int) -> None:
        wanted = ["network-vif-plugged"] * times
        wait_until("its plugging", lambda: told_of(nova, port) == wanted, told_timeout_s)

    # What Nova's plug-in would make of the bridge is what it is.
    again = {"binding:host_id": "h1"}

    def is_known() -> bool:
        changed, _ = lab.api.update(PORT, port["id"], again)
        return bool(changed["binding:vif_details"]["datapath_type"] == "netdev")

    wait_until("h1's bridge to be known", is_known, told_timeout_s)
    (machine,) = lab.plug([port])
    moving = MovingMachine(lab.layout, machine)
    plugged(1)
    lab.api.create(bindings, [{"host": "h2", "vnic_type": "normal", "profile": {}}])
    moving.plug(lab.host("h2"))
    plugged(2)  # though the port's status has not changed

    assert lab.api.show(bindings, "h2")["status"] == "INACTIVE"
    moving.move(lab.host("h2"))
    lab.api.act(bindings, "h2", "activate", {})
    lab.api.delete(bindings, "h1")
    moving.unplug(lab.host("h1"))
    shown = lab.api.show(PORT, port["id"])
    assert (shown["binding:host_id"], shown["binding:vif_type"]) == ("h2", "ovs")
    wait_until(
        "the port to be ACTIVE",
        lambda: lab.api.show(PORT, port["id"])["status"] == "ACTIVE",
        told_timeout_s,
    )

    lab.unplug([moving.machine])
    lab.api.delete(PORT, port["id"])
    last = "network-vif-deleted"
    wait_until(last, lambda: last in told_of(nova, port), told_timeout_s)
    assert told_of(nova, port).count("network-vif-plugged") == 2
