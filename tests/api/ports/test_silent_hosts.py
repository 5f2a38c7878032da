"""Ports are bound to hosts whose agents are there, and to hosts that are still to come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.api.conftest import Answer, Api, Databases

from alcor.assembly.config import Config
from alcor.assembly.embedded import embedded
from alcor.delivery.config import DeliveryConfig
from alcor.goal_state.slices import host_slice
from alcor.managers.node.app import NodeSettings
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Frame, Hello, Report
from alcor.values.addresses import address

deadline_s = 60
silence_s = 0.5


@asynccontextmanager
async def agent(port: int, name: str, number: int) -> AsyncIterator[None]:
    """An agent without a switch is connected."""
    hello = Hello(name, "test", address(f"192.0.2.{number}"), bridge="br-int")
    link = GrpcLink([f"127.0.0.1:{port}"], hello, chance=lambda: 0.0)
    link.subscribe(host_slice(name))

    async def run() -> None:
        async with aclosing(link.events()) as events:
            async for event in events:
                if isinstance(event, Frame):
                    link.report(Report(event.epoch, event.position, datapath_type="netdev"))

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Region:
    """A control plane, asked from another thread."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def call(self, verb: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        return await asyncio.to_thread(self._api.call, verb, path, body)

    async def until(self, host: str, *, alive: bool) -> None:
        """Its agent is seen so, with its bridge."""
        async with asyncio.timeout(deadline_s):
            while True:
                found = (await self.call("GET", f"/v2.0/agents?host={host}")).json["agents"]
                said = [(a["alive"], a["configurations"]["datapath_type"]) for a in found]
                if said == [(alive, "netdev")]:
                    return

    async def bind(self, path: str, host: str) -> dict[str, Any]:
        answer = await self.call("PUT", path, {"port": {"binding:host_id": host}})
        assert answer.status == 200, answer
        port: dict[str, Any] = answer.json["port"]
        return port


def test_a_dead_hosts_bindings_fail_until_it_is_back(tmp_path: Path) -> None:
    config = Config(
        data=str(tmp_path),
        listen="127.0.0.1:0",
        agents=DeliveryConfig(listen="127.0.0.1:0"),
        node=NodeSettings(silence_s_max=silence_s, binding_silence_s_max=silence_s),
        served=Databases.served(tmp_path),
    )

    async def scenario() -> None:
        async with embedded(config) as running:
            region, hosts = Region(Api(*running.api)), running.agents_port
            made = await region.call("POST", "/v2.0/networks", {"network": {}})
            network = {"network_id": made.json["network"]["id"]}
            async with agent(hosts, "h1", 1):
                await region.until("h1", alive=True)
                body = {"port": network | {"binding:host_id": "h1"}}
                port = (await region.call("POST", "/v2.0/ports", body)).json["port"]
                assert port["binding:vif_type"] == "ovs"
            path = f"/v2.0/ports/{port['id']}"
            await region.until("h1", alive=False)

            two = [network | {"binding:host_id": "h1"}] * 2
            answer = await region.call("POST", "/v2.0/ports", {"ports": two})
            assert answer.status == 201, answer
            failed = [each["binding:vif_type"] for each in answer.json["ports"]]
            assert failed == ["binding_failed"] * 2
            assert (await region.bind(path, ""))["binding:vif_type"] == "unbound"
            assert (await region.bind(path, "h1"))["binding:vif_type"] == "binding_failed"
            told = (await region.call("GET", f"/alcor/v1/ports/{port['id']}/state")).json
            assert "silent" in told["port_state"]["why_down"]
            await region.bind(path, "")
            bindings, there = f"{path}/bindings", {"binding": {"host": "h1"}}
            refused = await region.call("POST", bindings, there)
            assert (refused.status, refused.type) == (400, "PortBindingError")

            async with agent(hosts, "h1", 1):
                await region.until("h1", alive=True)
                again = await region.bind(path, "h1")
                assert again["binding:vif_type"] == "ovs"
                assert again["binding:vif_details"]["datapath_type"] == "netdev"

    asyncio.run(scenario())
