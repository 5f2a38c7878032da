"""Clients of a simulated region: each asks for one thing after the other, by chance.

What they may ask for, and how often, is here; `asking.py` asks, and `api.py` reaches the managers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from alcor.simulation.clients.api import Document
from alcor.simulation.clients.asking import Asker

PROJECTS = ("red", "blue")
batch_max = 6  # ports of one call
race_s = 0.01  # within which deeds are begun that race each other
_JOINING = ("add_router_interface", "add_router_interface", "remove_router_interface")


class Client(Asker):
    """One who asks for one thing after the other, by chance."""

    async def run(self, count: int, pause_s: float) -> None:
        """Ask for so much, with pauses."""
        choices = list(_WEIGHT_BY_DEED.items())
        deeds, weights = [deed for deed, _ in choices], [weight for _, weight in choices]
        for _ in range(count):
            if self._chance.random() < 0.7:  # else at once
                await asyncio.sleep(self._chance.expovariate(1 / pause_s))
            (deed,) = self._chance.choices(deeds, weights)
            self._asked += 1
            await deed(self)

    async def make_network(self) -> None:
        names = self._names(self._chance.randint(1, 2))
        await self._create("network", [{"name": name} for name in names])

    async def make_subnet(self) -> None:
        network = self._some("network")
        if network is not None:
            cidr = f"10.{self._chance.randint(0, 3)}.0.0/{self._chance.choice((24, 28, 29))}"
            (name,) = self._names(1)
            asked = {"name": name, "network_id": network.id, "cidr": cidr, "ip_version": 4}
            await self._create("subnet", [asked])

    async def make_ports(self) -> None:
        network = self._some("network")
        if network is None:
            return
        items = []
        for name in self._names(self._chance.randint(1, batch_max)):
            item: Document = {"name": name, "network_id": network.id}
            item["device_owner"] = "compute:nova"
            if self._chance.random() < 0.8:
                item["binding:host_id"] = self._chance.choice(self._hosts).name
            group = self._some("security_group")
            if group is not None and self._chance.random() < 0.3:
                item["security_groups"] = [group.id]
            items.append(item)
        subnets = [t for t in self._book.of_network(network.id) if t.kind == "subnet"]
        if subnets and self._chance.random() < 0.3:
            items[0]["fixed_ips"] = [self._address_in(self._chance.choice(subnets))]
        await self._create("port", items)

    async def change_port(self) -> None:
        port = self._some("port")
        if port is None or not port.document["device_owner"].startswith("compute"):
            return
        changes: Document = {}
        if self._chance.random() < 0.5:
            changes["binding:host_id"] = self._chance.choice(["", *(h.name for h in self._hosts)])
        group = self._some("security_group")
        if group is not None and self._chance.random() < 0.4:
            changes["security_groups"] = [group.id]
        subnets = [
            t
            for t in self._book.of_network(port.document["network_id"])
            if t.kind == "subnet" and not t.may_be_gone
        ]
        if subnets and self._chance.random() < 0.4:
            changes["fixed_ips"] = [self._address_in(self._chance.choice(subnets))]
        await self._update(port, changes)

    async def rename(self) -> None:
        thing = self._some(self._chance.choice(("network", "subnet", "port", "router")))
        if thing is not None:
            await self._update(thing, {})

    async def delete_port(self) -> None:
        port = self._some("port")
        if port is not None:
            await self._delete(port, [])

    async def delete_subnet(self) -> None:
        subnet = self._some("subnet")
        if subnet is not None:
            await self._delete(subnet, [])

    async def delete_network(self) -> None:
        network = self._some("network")
        if network is not None:
            parts = [t for t in self._book.of_network(network.id) if t.kind == "subnet"]
            await self._delete(network, parts)

    async def race(self) -> None:
        """A port is made in the very moment in which its network, or its group, goes."""
        network, group = self._some("network"), self._some("security_group")
        if network is None or group is None:
            return
        (name,) = self._names(1)
        item: Document = {"name": name, "network_id": network.id, "device_owner": "compute:nova"}
        item |= {"security_groups": [group.id], "fixed_ips": []}
        going = network if self._chance.random() < 0.6 else group
        await asyncio.gather(
            self._later(self._create("port", [item])), self._later(self._delete(going, []))
        )

    async def _later(self, deed: Coroutine[Any, Any, None]) -> None:
        await asyncio.sleep(self._chance.uniform(0, race_s))
        await deed

    async def make_group(self) -> None:
        await self._create("security_group", [{"name": name} for name in self._names(1)])

    async def make_rule(self) -> None:
        group, remote = self._some("security_group"), self._some("security_group")
        if group is None or remote is None:
            return
        port = self._chance.randint(1, 60_000)
        rule: Document = {"security_group_id": group.id, "direction": "ingress", "protocol": "tcp"}
        rule |= {"port_range_min": port, "port_range_max": port}
        if self._chance.random() < 0.7:
            rule["remote_group_id"] = remote.id
        await self._create("security_group_rule", [rule])

    async def delete_group(self) -> None:
        group = self._some("security_group")
        if group is not None:
            rules = self._book.living("security_group_rule")
            of_it = [t for t in rules if group.id == t.document["security_group_id"]]
            await self._delete(group, of_it)

    async def make_router(self) -> None:
        await self._create("router", [{"name": name} for name in self._names(1)])

    async def join_router(self) -> None:
        router, subnet = self._some("router"), self._some("subnet")
        if router is not None and subnet is not None:
            about = {"subnet_id": subnet.id, "port_id": None}
            action = self._chance.choice(_JOINING)
            await self._ask(action, lambda: self._api.act(self._caller, router.id, action, about))

    async def open_router(self) -> None:
        router, outside = self._some("router"), self._outside()
        if router is not None and outside is not None:
            gateway = {"network_id": outside.id} if self._chance.random() < 0.7 else None
            await self._update(router, {"external_gateway_info": gateway})

    async def delete_router(self) -> None:
        router = self._some("router")
        if router is not None:
            await self._delete(router, [])

    async def make_floating_ip(self) -> None:
        outside, port = self._outside(), self._some("port")
        if outside is None:
            return
        item: Document = {"floating_network_id": outside.id}
        if port is not None and self._chance.random() < 0.6:
            item["port_id"] = port.id
        await self._create("floatingip", [item])

    async def move_floating_ip(self) -> None:
        floating, port = self._some("floatingip"), self._some("port")
        if floating is not None:
            to = port.id if port is not None and self._chance.random() < 0.6 else None
            about = {"port_id": to}
            await self._ask(
                "move", lambda: self._api.update(self._caller, "floatingip", floating.id, about)
            )

    async def delete_floating_ip(self) -> None:
        floating = self._some("floatingip")
        if floating is not None:
            await self._delete(floating, [])

    async def make_tap(self) -> None:
        port = self._some("port")
        if port is not None:
            (name,) = self._names(1)
            await self._create("tap_service", [{"name": name, "port_id": port.id}])
            await self.make_tap_flows()

    async def make_tap_flows(self) -> None:
        service = self._some("tap_service")
        if service is None:
            return
        flows: list[Document] = []
        for name in self._names(self._chance.randint(1, 3)):
            source = self._some("port")
            if source is not None:
                way = self._chance.choice(("IN", "OUT", "BOTH"))
                about = {"tap_service_id": service.id, "source_port": source.id}
                flows.append({"name": name, "direction": way, **about})
        await self._create("tap_flow", flows)

    async def delete_tap(self) -> None:
        service = self._some("tap_service")
        if service is not None:
            flows = self._book.living("tap_flow")
            of_it = [t for t in flows if t.document["tap_service_id"] == service.id]
            await self._delete(service, of_it)


_WEIGHT_BY_DEED: dict[Callable[[Client], Awaitable[None]], int] = {
    Client.make_network: 6,
    Client.make_subnet: 8,
    Client.make_ports: 22,
    Client.change_port: 12,
    Client.rename: 6,
    Client.delete_port: 12,
    Client.delete_subnet: 4,
    Client.delete_network: 3,
    Client.race: 8,
    Client.make_group: 4,
    Client.make_rule: 6,
    Client.delete_group: 3,
    Client.make_router: 3,
    Client.join_router: 8,
    Client.open_router: 4,
    Client.delete_router: 2,
    Client.make_floating_ip: 4,
    Client.move_floating_ip: 4,
    Client.delete_floating_ip: 2,
    Client.make_tap: 9,
    Client.make_tap_flows: 4,
    Client.delete_tap: 2,
}
