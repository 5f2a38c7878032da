"""Which hosts serve a network or a router, as Neutron's clients ask for agents of schedulers."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

from tests.api.conftest import Api, speak

from alcor.assembly.config import Config
from alcor.assembly.embedded import embedded
from alcor.delivery.config import DeliveryConfig
from alcor.transport.link import Hello
from alcor.values.addresses import address

deadline_s = 120


def on(host: str) -> dict[str, str]:
    return {"binding:host_id": host, "device_owner": "compute:nova"}


def hosts_of(answer: Any) -> list[str]:
    assert answer.status == 200, answer
    return sorted(each["host"] for each in answer.json["agents"])


def test_a_network_is_served_by_the_hosts_of_its_ports(api: Any) -> None:
    for number in (1, 2, 3):
        api.make("/alcor/v1/nodes", "node", name=f"sa{number}", tunnel_ip=f"192.0.2.{200 + number}")
    network = api.network()
    further = {"network_id": network["id"], "network_type": "vxlan"}
    segment = api.call("POST", "/v2.0/segments", {"segment": further}).json["segment"]
    path = f"/v2.0/networks/{network['id']}/dhcp-agents"
    assert api.get(path).json == {"agents": []}
    api.subnet(network["id"], "10.1.0.0/24", segment_id=network["id"])
    of_further = api.subnet(network["id"], "10.2.0.0/24", segment_id=segment["id"])
    api.port(network["id"], **on("sa1"))
    api.port(network["id"], fixed_ips=[{"subnet_id": of_further["id"]}], **on("sa2"))

    found, until = api.get(path), monotonic() + deadline_s
    while len(hosts_of(found)) < 2 and monotonic() < until:  # a record is planned a moment later
        found = api.get(path)

    assert hosts_of(found) == ["sa1", "sa2"]
    assert found.json["agents"][0].keys() == api.listed("/v2.0/agents")[0].keys()
    for agent in found.json["agents"]:  # one host is on the network's first segment, one not
        path_of = f"/v2.0/agents/{agent['id']}"
        networks = api.listed(f"/v2.0/networks?id={network['id']}")
        assert api.get(f"{path_of}/dhcp-networks").json == {"networks": networks}
        assert api.get(f"{path_of}/l3-routers").json == {"routers": []}
    assert api.get(path.replace("networks/", "networks/0")).status == 404
    assert api.get(f"/v2.0/agents/{network['id']}/dhcp-networks").status == 404
    assert api.call("POST", path, {"agent_id": "x"}).status == 405


def test_where_nothing_is_answered_by_dhcp_nobody_answers(api: Any) -> None:
    api.make("/alcor/v1/nodes", "node", name="sa9", tunnel_ip="192.0.2.209")
    network = api.network()
    api.subnet(network["id"], "10.1.0.0/24", enable_dhcp=False)
    api.port(network["id"], **on("sa9"))

    assert api.get(f"/v2.0/networks/{network['id']}/dhcp-agents").json == {"agents": []}


def test_only_administrators_are_told_of_hosts(tenants: Any) -> None:
    member, operator = tenants.bearing("member"), tenants.bearing("operator")
    network, router = member.network()["id"], member.make("/v2.0/routers", "router")["id"]

    for path in (f"/v2.0/networks/{network}/dhcp-agents", f"/v2.0/routers/{router}/l3-agents"):
        refused = member.get(path)
        assert (refused.status, refused.type) == (403, "PolicyNotAuthorized")
        assert operator.get(path).json == {"agents": []}
    for what in ("dhcp-networks", "l3-routers"):
        assert member.get(f"/v2.0/agents/{network}/{what}").status == 403


def test_a_router_is_served_by_the_host_it_leaves_by_and_the_next_in_line(tmp_path: Path) -> None:
    async def scene() -> None:
        config = Config(
            data=str(tmp_path), listen="127.0.0.1:0", agents=DeliveryConfig(listen="127.0.0.1:0")
        )
        async with asyncio.timeout(deadline_s), embedded(config) as running:
            hellos = [
                Hello(f"h{n}", "test", address(f"192.0.2.{n}"), () if n == 3 else ("out",))
                for n in (1, 2, 3)
            ]
            hosts = [asyncio.ensure_future(speak(running.agents_port, each)) for each in hellos]
            api = Api(*running.api)
            router = await asyncio.to_thread(with_gateway, api)
            path = f"/v2.0/routers/{router['id']}/l3-agents"
            states: dict[str, str] = {}
            while len(states) < 2:  # what hosts say of themselves is heard a moment later
                found = await asyncio.to_thread(api.get, path)
                states = {each["host"]: each["ha_state"] for each in found.json["agents"]}
            assert states.keys() == {"h1", "h2"}
            assert sorted(states.values()) == ["active", "standby"]
            carriers = await asyncio.to_thread(carriers_of, api)
            assert carriers == {"h1": [router["id"]], "h2": [router["id"]], "h3": []}
            inside = await asyncio.to_thread(api.make, "/v2.0/routers", "router", name="inside")
            none = await asyncio.to_thread(api.get, f"/v2.0/routers/{inside['id']}/l3-agents")
            assert none.json == {"agents": []}
            for each in hosts:
                each.cancel()
            await asyncio.gather(*hosts, return_exceptions=True)

    asyncio.run(scene())


def carriers_of(api: Api) -> dict[str, list[str]]:
    """The routers that each host is asked for."""
    found = {
        agent["host"]: api.get(f"/v2.0/agents/{agent['id']}/l3-routers").json["routers"]
        for agent in api.listed("/v2.0/agents")
    }
    return {host: [each["id"] for each in routers] for host, routers in found.items()}


def with_gateway(api: Api) -> Any:
    provider = {"provider:network_type": "flat", "provider:physical_network": "out"}
    outside = api.network(**provider, **{"router:external": True})
    api.subnet(outside["id"], "198.51.100.0/24", enable_dhcp=False)
    info = {"network_id": outside["id"]}
    return api.make("/v2.0/routers", "router", name="r", external_gateway_info=info)
