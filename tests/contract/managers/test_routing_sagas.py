"""Routers and floating IPs die at every step of every saga: nothing is left that nobody knows.

The port, IP and MAC managers are real and live on; the router and the elastic IP manager die
before or after each call to a peer and each transaction, one step further each time, until the
saga is through. After every death the next life must settle what was begun.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.contract.managers.mortal import Fate, Mortal, die_at_every_step, let_die
from tests.fixtures.foundation import foundation
from tests.fixtures.policies import NoPolicies

from alcor.contracts.held_ports import FLOATING_IP, ROUTER_GATEWAY, ROUTER_INTERFACE
from alcor.contracts.peers import Ids, NetworkPeer, SubnetPeer
from alcor.contracts.resources import (
    ActingManager,
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListRequest,
    UpdateRequest,
)
from alcor.contracts.routing import FloatingIpPeer, RouterPeer
from alcor.contracts.sharing import Project, ReachableNetworks
from alcor.contracts.subnetpools import PoolScopes
from alcor.intent.records import NetworkRecord
from alcor.managers.elastic_ip.app import ElasticIpApp, ElasticIpSettings
from alcor.managers.elastic_ip.needs import Peers as ElasticIpPeers
from alcor.managers.router.app import RouterApp, RouterSettings
from alcor.managers.router.needs import Peers as RouterPeers
from alcor.resource import body
from alcor.runtime.calls.rpc import loopback

N1 = "11111111-0000-4000-8000-000000000001"
PUBLIC = "11111111-0000-4000-8000-00000000000a"
OTHER_PUBLIC = "11111111-0000-4000-8000-00000000000b"
S4 = "44444444-0000-4000-8000-000000000001"
S6, S6B = "66666666-0000-4000-8000-000000000001", "66666666-0000-4000-8000-000000000002"
ADMIN = Caller(project_id="p1", admin=True)

only_sqlite = pytest.mark.parametrize("lives", ["sqlite"], indirect=True)


class Reach:
    """Nothing of others is shared: an administrator needs no sharing."""

    async def reachable(self, request: Project) -> ReachableNetworks:
        return ReachableNetworks([], [])


class NoScopes:
    """No pool is in an address scope."""

    async def scopes(self, request: Ids) -> PoolScopes:
        return PoolScopes({})


class Region:
    """One life of the two managers, in a world of the others."""

    def __init__(self, lives: Any, world: Any) -> None:
        self.fate = Fate()
        self.world = world
        owners = (
            Mortal(loopback(NetworkPeer, world.owners), self.fate),
            Mortal(loopback(SubnetPeer, world.owners), self.fate),
        )
        reach: Any = Reach()
        scopes: Any = NoScopes()
        held = Mortal(world.held, self.fate)
        later = self.later = dict[str, Any]()

        def cross(name: str) -> Any:
            class Later:
                def __getattr__(self, verb: str) -> Any:
                    return lambda request: getattr(later[name], verb)(request)

            return Later()

        base = foundation(lives.place)
        floating, flavors = cross("floating"), cross("flavor")
        router_peers: Any = RouterPeers(
            owners[0],
            reach,
            owners[1],
            held,
            floating,
            flavors,
            scopes,
            cross("node"),
            NoPolicies(),
        )
        ip_peers: Any = ElasticIpPeers(
            owners[0], reach, owners[1], held, cross("router"), scopes, NoPolicies()
        )
        self.router_app = RouterApp(base, router_peers, RouterSettings())
        self.ip_app = ElasticIpApp(base, ip_peers, ElasticIpSettings())
        later["router"] = Mortal(loopback(RouterPeer, self.router_app.peers[0][1]), self.fate)
        later["floating"] = Mortal(loopback(FloatingIpPeer, self.ip_app.peers[0][1]), self.fate)
        for app in (self.router_app, self.ip_app):
            let_die(app.database, self.fate)
        (self.router_kind, self.routers), *_ = self.router_app.resources
        (self.ip_kind, self.ips), forwarding, *_ = self.ip_app.resources
        self.forwarding_kind, self.forwardings = forwarding

    async def close(self) -> None:
        for app in (self.router_app, self.ip_app):
            await app.database.close()

    # What a client does.

    async def _make(self, kind: Any, manager: Any, **fields: Any) -> dict[str, Any]:
        more = {kind.parent: fields.pop(kind.parent)} if kind.parent else {"project_id": "p1"}
        content = msgspec.json.encode({kind.name: fields})
        items = [item | more for item in body.created(kind, content, 1).items]
        (made,) = (await manager.create(CreateRequest(ADMIN, items))).items
        found: dict[str, Any] = msgspec.json.decode(made)
        return found

    async def router(self, **fields: Any) -> dict[str, Any]:
        return await self._make(self.router_kind, self.routers, **fields)

    async def floating(self, **fields: Any) -> dict[str, Any]:
        fields = {"floating_network_id": PUBLIC} | fields
        return await self._make(self.ip_kind, self.ips, **fields)

    async def forward(self, ip: str, port: dict[str, Any]) -> dict[str, Any]:
        return await self._make(
            self.forwarding_kind,
            self.forwardings,
            floatingip_id=ip,
            protocol="tcp",
            internal_port_id=port["id"],
            internal_ip_address=port["fixed_ips"][0]["ip_address"],
            internal_port=80,
            external_port=80,
        )

    async def put(self, kind: Any, manager: Any, id_: str, **changes: Any) -> None:
        checked = body.changed(kind, msgspec.json.encode({kind.name: changes}))
        await manager.update(UpdateRequest(ADMIN, id_, checked))

    async def act(self, router: str, verb: str, **what: Any) -> None:
        assert isinstance(self.routers, ActingManager)
        await self.routers.act(ActRequest(ADMIN, router, verb, what))

    # What must hold.

    async def settle(self) -> None:
        await self.router_app._settling.settle()
        await self.ip_app._settling.settle()

    async def check(self) -> None:
        world = self.world
        world.check()
        rows = world.rows
        ports = {port["id"]: port for port in await world.listed()}

        def held_as(*owners: str) -> list[Any]:
            return sorted((id_,) for id_, port in ports.items() if port["device_owner"] in owners)

        attached = "SELECT port_id FROM attachment ORDER BY port_id"
        assert held_as(ROUTER_INTERFACE, ROUTER_GATEWAY) == rows("router", attached)
        holders = "SELECT holder_port_id FROM floatingip ORDER BY 1"
        assert held_as(FLOATING_IP) == rows("elastic_ip", holders)
        for manager in ("router", "elastic_ip"):
            assert rows(manager, "SELECT * FROM unsettled") == []
        held = rows("router", "SELECT port_id, subnet_id, address FROM place ORDER BY 1, 2, 3")
        assert held == sorted(
            (id_, ip["subnet_id"], ip["ip_address"])
            for (id_,) in rows("router", attached)
            for ip in ports[id_]["fixed_ips"]
        )
        routers = {id_ for (id_,) in rows("router", "SELECT id FROM router")}
        assert {id_ for (id_,) in rows("router", "SELECT router_id FROM attachment")} <= routers
        hops = {id_ for (id_,) in rows("router", attached)}
        used = "SELECT interface_port_id, gateway_port_id FROM floatingip WHERE router_id <> ''"
        assert {hop for row in rows("elastic_ip", used) for hop in row} <= hops
        fences = {id_ for (id_,) in rows("elastic_ip", "SELECT id FROM fence")}
        assert not fences & hops


@asynccontextmanager
async def region_of(lives: Any, world: Any) -> AsyncIterator[Region]:
    region = Region(lives, world)
    try:
        await region.ip_app.recover()
        await region.settle()
        yield region
    finally:
        await region.close()


async def build(world: Any) -> None:
    """A network of machines with both families, and two external networks."""
    await world.add_network(N1)
    await world.add_subnet(
        S4, N1, "10.0.0.0/24", "10.0.0.2", "10.0.0.254", gateway="10.0.0.1", gateway_ip="10.0.0.1"
    )
    for id_, net in ((S6, "fd00:1"), (S6B, "fd00:2")):
        await world.add_subnet(
            id_,
            N1,
            f"{net}::/64",
            f"{net}::2",
            f"{net}::ffff",
            gateway=f"{net}::1",
            gateway_ip=f"{net}::1",
        )
    for i, id_ in enumerate((PUBLIC, OTHER_PUBLIC)):
        await world.add_network(id_)
        world.owners.by_id[id_] = msgspec.structs.replace(world.owners.by_id[id_], external=True)
        assert isinstance(world.owners.by_id[id_], NetworkRecord)
        cidr = f"203.0.{i}"
        await world.add_subnet(
            str(uuid4()), id_, f"{cidr}.0/24", f"{cidr}.2", f"{cidr}.254", gateway=f"{cidr}.1"
        )


GATEWAY = {"network_id": PUBLIC}
Saga = Callable[[Region, dict[str, Any]], Awaitable[object]]


async def a_router(region: Region) -> dict[str, Any]:
    """A router between the machines and the external network, a port, and a floating IP."""
    router = await region.router(external_gateway_info=GATEWAY)
    await region.act(router["id"], "add_router_interface", subnet_id=S4)
    (port,) = await region.world.create({"network_id": N1})
    floating = await region.floating()
    return {"router": router["id"], "port": port, "ip": floating["id"]}


async def make_with_gateway(region: Region, _: dict[str, Any]) -> None:
    await region.router(external_gateway_info=GATEWAY)


async def attach_port(region: Region, held: dict[str, Any]) -> None:
    (port,) = await region.world.create({"network_id": N1, "fixed_ips": [{"subnet_id": S6}]})
    await region.act(held["router"], "add_router_interface", port_id=port["id"])


async def attach_subnets(region: Region, held: dict[str, Any]) -> None:
    """The second IPv6 subnet extends the port of the first."""
    for subnet in (S6, S6B):
        await region.act(held["router"], "add_router_interface", subnet_id=subnet)
    for subnet in (S6, S6B):
        await region.act(held["router"], "remove_router_interface", subnet_id=subnet)


async def detach(region: Region, held: dict[str, Any]) -> None:
    await region.act(held["router"], "remove_router_interface", subnet_id=S4)


async def change_gateway(region: Region, held: dict[str, Any]) -> None:
    for info in (
        {"network_id": PUBLIC, "external_fixed_ips": [{"ip_address": "203.0.0.200"}]},
        {"network_id": OTHER_PUBLIC},
        {},
    ):
        await region.put(
            region.router_kind, region.routers, held["router"], external_gateway_info=info
        )


async def several_gateways(region: Region, held: dict[str, Any]) -> None:
    """One more, with another address; then the first goes, and the other is the first."""
    id_ = held["router"]
    more = {"network_id": OTHER_PUBLIC}
    await region.act(id_, "add_external_gateways", external_gateways=[more])
    moved = more | {"external_fixed_ips": [{"ip_address": "203.0.1.200"}]}
    await region.act(id_, "update_external_gateways", external_gateways=[GATEWAY, moved])
    await region.act(id_, "remove_external_gateways", external_gateways=[GATEWAY])


async def delete_router(region: Region, held: dict[str, Any]) -> None:
    await region.act(held["router"], "remove_router_interface", subnet_id=S4)
    await region.routers.delete(DeleteRequest(ADMIN, held["router"]))


async def make_floating(region: Region, held: dict[str, Any]) -> None:
    await region.floating(port_id=held["port"]["id"])


async def give_and_delete(region: Region, held: dict[str, Any]) -> None:
    await region.put(region.ip_kind, region.ips, held["ip"], port_id=held["port"]["id"])
    await region.ips.delete(DeleteRequest(ADMIN, held["ip"]))


async def forward(region: Region, held: dict[str, Any]) -> None:
    made = await region.forward(held["ip"], held["port"])
    await region.forwardings.delete(DeleteRequest(ADMIN, made["id"]))


def forwardings_of(id_: str, connection: sqlite3.Connection) -> list[Any]:
    of = "SELECT id FROM port_forwarding WHERE floatingip_id = ?"
    return connection.execute(of, (id_,)).fetchall()


async def tidy(region: Region) -> None:
    """Delete all, so that the next try finds the addresses free."""
    everything = ListRequest(ADMIN, ListQuery())
    for raw in (await region.ips.list_page(everything)).items:
        id_ = msgspec.json.decode(raw)["id"]
        for each in await region.ip_app.database.read(partial(forwardings_of, id_)):
            await region.forwardings.delete(DeleteRequest(ADMIN, each[0]))
        await region.ips.delete(DeleteRequest(ADMIN, id_))
    for port in await region.world.listed(device_owner="network:router_interface"):
        await region.act(port["device_id"], "remove_router_interface", port_id=port["id"])
    for raw in (await region.routers.list_page(everything)).items:
        await region.routers.delete(DeleteRequest(ADMIN, msgspec.json.decode(raw)["id"]))
    for port in await region.world.listed():
        await region.world.delete(port["id"])
    await region.check()


@only_sqlite
@pytest.mark.parametrize(
    "saga",
    [
        make_with_gateway,
        attach_port,
        attach_subnets,
        detach,
        change_gateway,
        several_gateways,
        delete_router,
        make_floating,
        give_and_delete,
        forward,
    ],
)
def test_a_death_at_any_step_leaves_nothing_that_nobody_knows(lives: Any, saga: Saga) -> None:
    async def survived(world: Any, steps: int) -> bool:
        """Whether the saga was through before its managers died."""
        async with region_of(lives, world) as region:
            held = await a_router(region)
            through = await region.fate.allows(saga(region, held), steps)
        async with region_of(lives, world) as region:
            await region.check()
            await tidy(region)
        return through

    die_at_every_step(lives, build, survived)


def test_a_hop_that_is_used_is_not_fenced_and_one_fenced_is_not_used(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world, region_of(lives, world) as region:
            await build(world)
            held = await a_router(region)
            hops = region.ip_app.peers[0][1]
            (interface,) = await world.listed(device_owner="network:router_interface")
            mine = Ids([interface["id"]])

            assert (await hops.fence_hops(mine)).ids == []  # type: ignore[attr-defined]
            with pytest.raises(Exception, match="is not reachable"):
                await region.floating(port_id=held["port"]["id"])
            await hops.lift_hops(mine)  # type: ignore[attr-defined]
            await region.floating(port_id=held["port"]["id"])
            assert (await hops.fence_hops(mine)).ids == mine.ids  # type: ignore[attr-defined]
            await region.check()

    asyncio.run(main())
