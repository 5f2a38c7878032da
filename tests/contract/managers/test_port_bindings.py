"""Hosts that a port's machine is moved to, or has come from, are known in the intent log."""

import asyncio
from typing import Any

import pytest
from tests.contract.managers.conftest import ADMIN

from alcor.contracts.resources import ActRequest, CreateRequest, DeleteRequest
from alcor.intent import records
from alcor.managers.port.model.bindings import PortBindingError

N1 = "11111111-0000-4000-8000-000000000001"


async def hosts_told(world: Any, port_id: str, upto: int) -> tuple[str, tuple[str, ...]]:
    """Where the log says that the port is, and where it waits, after so many changes."""
    await world.port.relay.published_all(upto)
    key = records.key("port", port_id)
    record = records.decode(key, (await world.intent.get([key]))[key].value)
    assert isinstance(record, records.PortRecord)
    return record.host, record.waiting_hosts


def test_the_intent_log_is_told_of_hosts_that_wait_and_is_told_again_after_a_restart(
    lives: Any,
) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.add_network(N1)
            for host in ("h1", "h2"):
                await world.add_node(host)
            (port,) = await world.create({"network_id": N1, "binding:host_id": "h1"})
            bindings = world.port.resources[1][1]
            waits = {"port_id": port["id"], "host": "h2", "vnic_type": "normal", "profile": {}}
            await bindings.create(CreateRequest(ADMIN, [waits]))
            assert await hosts_told(world, port["id"], 2) == ("h1", ("h2",))

            await world.update(port["id"], name="moving")
            assert await hosts_told(world, port["id"], 3) == ("h1", ("h2",))
        async with lives.life() as world:
            assert await hosts_told(world, port["id"], 3) == ("h1", ("h2",))

            bindings = world.port.resources[1][1]
            await bindings.act(ActRequest(ADMIN, f"{port['id']}/h2", "activate", {}))
            assert await hosts_told(world, port["id"], 4) == ("h2", ("h1",))
            await bindings.delete(DeleteRequest(ADMIN, f"{port['id']}/h1"))
            assert await hosts_told(world, port["id"], 5) == ("h2", ())

    asyncio.run(main())


def test_no_machine_moves_to_a_host_whose_agent_has_fallen_silent(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.add_network(N1)
            for host in ("h1", "h2"):
                await world.add_node(host, bridge="br-int")
            (port,) = await world.create({"network_id": N1, "binding:host_id": "h1"})
            bindings = world.port.resources[1][1]
            waits = {"port_id": port["id"], "host": "h2", "vnic_type": "normal", "profile": {}}
            world.owners.silent_hosts = {"h2"}
            with pytest.raises(PortBindingError):
                await bindings.create(CreateRequest(ADMIN, [waits]))

            world.owners.silent_hosts.clear()
            await bindings.create(CreateRequest(ADMIN, [waits]))
            assert await hosts_told(world, port["id"], 2) == ("h1", ("h2",))

    asyncio.run(main())
