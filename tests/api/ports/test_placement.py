"""What a host says that it can guarantee reaches Placement, by way of its node."""

import asyncio
from pathlib import Path

from tests.api.conftest import Api, speak
from tests.fixtures.placement import Placement

from alcor.assembly.config import Config
from alcor.assembly.embedded import embedded
from alcor.delivery.config import DeliveryConfig
from alcor.integrations.placement.settings import PlacementSettings
from alcor.transport.link import Hello
from alcor.values.addresses import address
from alcor.values.capacity import Bandwidth, Capacity

deadline_s = 120
AGENT = "h1.example:Open vSwitch agent"
EGRESS, NORMAL = "NET_BW_EGR_KILOBIT_PER_SEC", "CUSTOM_VNIC_TYPE_NORMAL"


def test_what_a_host_says_it_can_guarantee_reaches_placement(tmp_path: Path) -> None:
    uplink = Bandwidth("br-ex", "one", egress=10_000)
    capacity = Capacity(hypervisor="h1.example", bandwidths=(uplink,))
    hello = Hello("h1", "test", address("192.0.2.1"), ("one",), capacity=capacity)

    wanted = {
        AGENT: ("h1.example", {NORMAL}, {}),
        f"{AGENT}:br-ex": (AGENT, {NORMAL, "CUSTOM_PHYSNET_ONE"}, {EGRESS: 10_000}),
    }

    async def scene() -> None:
        settings = PlacementSettings(endpoint=server.endpoint, retry_s_max=0.05)
        agents = DeliveryConfig(listen="127.0.0.1:0")
        config = Config(data=str(tmp_path), listen="127.0.0.1:0", agents=agents, placement=settings)
        async with asyncio.timeout(deadline_s), embedded(config) as running:
            host = asyncio.ensure_future(speak(running.agents_port, hello))
            while server.held() != wanted:  # noqa: ASYNC110 - of another thread
                await asyncio.sleep(0.02)
            api = Api(*running.api)
            found = await asyncio.to_thread(api.get, "/v2.0/agents")
            (agent,) = found.json["agents"]
            said = agent["configurations"]
            rates = {"br-ex": {"egress": 10_000, "ingress": None}}
            assert said["resource_provider_bandwidths"] == rates
            assert said["bridge_mappings"] == {"one": "br-ex"}
            while not agent["resources_synced"]:  # it was said, and is heard a moment later
                (agent,) = await asyncio.to_thread(api.listed, "/v2.0/agents")
            host.cancel()
            await asyncio.gather(host, return_exceptions=True)

    with Placement() as server:
        server.compute("h1.example")
        asyncio.run(scene())
