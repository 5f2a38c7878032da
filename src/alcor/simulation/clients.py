"""Clients of a simulated region: each asks for one thing after the other, by chance.

They ask as the gateway does, by the managers' contracts over NATS, with bodies that are checked by
the resources' declarations.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

import msgspec

from alcor.assembly.resources import contract_of, declared
from alcor.contracts.convergence import ConvergencePeer, ConvergenceRequest
from alcor.contracts.resources import (
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListRequest,
    ResourceManager,
    UpdateRequest,
    Written,
)
from alcor.resource import body
from alcor.resource.declaration import Resource
from alcor.runtime.nats_wire import NatsWire
from alcor.runtime.rpc import far_peer
from alcor.simulation.book import Batch, Book, Renaming, Thing
from alcor.simulation.host import Host, physical_network
from alcor.simulation.journal import Journal
from alcor.values.errors import Kind, Refusal, Unavailable

KINDS = ("network", "subnet", "port", "security_group", "security_group_rule", "router")
KINDS_TOO = ("floatingip",)
PROJECTS = ("red", "blue")
ADMIN = Caller(project_id="admin", admin=True, roles=("admin",))
items_max = 100
batch_max = 6  # ports of one call
race_s = 0.01  # within which deeds are begun that race each other
asked_again_max, ask_again_s = 60, 1.0  # of what is read in the end
wait_s = 10.0  # that a client waits for hosts

Document = dict[str, Any]


_JOINING = ("add_router_interface", "add_router_interface", "remove_router_interface")


class Api:
    """The managers, as a gateway reaches them."""

    def __init__(self, wire: NatsWire) -> None:
        wanted = {*KINDS, *KINDS_TOO}
        self.resource_by_kind: Mapping[str, Resource] = {
            each.name: each for each in declared() if each.name in wanted
        }
        self._manager_by_kind: dict[str, Any] = {
            kind: far_peer(contract_of(each), wire, each.name)
            for kind, each in self.resource_by_kind.items()
        }
        self.convergence = far_peer(ConvergencePeer, wire)

    async def create(self, caller: Caller, kind: str, items: list[Document]) -> Written:
        resource = self.resource_by_kind[kind]
        content = msgspec.json.encode({resource.collection: items})
        made = body.created(resource, content, items_max).items
        for item in made:
            item.setdefault("project_id", caller.project_id)
        return await self.manager(kind).create(CreateRequest(caller, made))

    async def update(self, caller: Caller, kind: str, id_: str, changes: Document) -> Written:
        resource = self.resource_by_kind[kind]
        checked = body.changed(resource, msgspec.json.encode({resource.key: changes}))
        return await self.manager(kind).update(UpdateRequest(caller, id_, checked))

    async def delete(self, caller: Caller, kind: str, id_: str) -> Written:
        return await self.manager(kind).delete(DeleteRequest(caller, id_))

    async def act(self, caller: Caller, id_: str, action: str, arguments: Document) -> Written:
        """An action on a router."""
        reply: Written = await self._manager_by_kind["router"].act(
            ActRequest(caller, id_, action, arguments)
        )
        return reply

    async def list_all(self, kind: str) -> list[Document]:
        """Everything of a kind, whosoever; asked again while a role comes up once more.

        A leader that was deposed while it had nothing to do ends when it is asked.
        """
        for _ in range(asked_again_max):
            with suppress(Unavailable):
                reply = await self.manager(kind).list_page(ListRequest(ADMIN, ListQuery()))
                return [msgspec.json.decode(item) for item in reply.items]
            await asyncio.sleep(ask_again_s)
        raise Unavailable(f"nobody lists {kind}")

    def manager(self, kind: str) -> ResourceManager:
        manager: ResourceManager = self._manager_by_kind[kind]
        return manager


class Client:
    """One who asks, of one project."""

    def __init__(
        self,
        name: str,
        project: str,
        api: Api,
        book: Book,
        hosts: Sequence[Host],
        chance: Random,
        journal: Journal,
    ) -> None:
        self._name = name
        self._caller = Caller(project_id=project, roles=("member",))
        self._api, self._book, self._hosts = api, book, hosts
        self._chance, self._journal = chance, journal
        self._asked = 0

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

    # What it asks for

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

    # How it asks

    async def _create(self, kind: str, items: list[Document]) -> None:
        began_s = _now_s()
        batch = Batch(kind, [item["name"] for item in items if "name" in item])
        done = await self._ask(
            f"create {kind}", lambda: self._api.create(self._caller, kind, items)
        )
        if isinstance(done, Refusal):
            unknown = done.kind is Kind.UNAVAILABLE
            (self._book.unanswered if unknown else self._book.refused).append(batch)
            return
        documents = [msgspec.json.decode(item) for item in done.items]
        if len(documents) != len(items):
            self._journal.violation("a batch is whole", asked=len(items), made=len(documents))
        self._book.made(kind, documents, began_s, _now_s())
        if kind == "port":
            for document in documents:
                self._plug(document["id"], document["binding:host_id"])
        await self._wait(done.revision)

    async def _update(self, thing: Thing, changes: Document) -> None:
        (name,) = self._names(1)
        renaming = Renaming(name, _now_s())
        thing.names.append(renaming)
        asked = {**changes, "name": name}
        done = await self._ask(
            f"update {thing.kind}",
            lambda: self._api.update(self._caller, thing.kind, thing.id, asked),
        )
        if isinstance(done, Refusal):
            if done.kind is not Kind.UNAVAILABLE:
                thing.names.remove(renaming)
            return
        renaming.answered_s = _now_s()
        document = msgspec.json.decode(done.items[0])
        if "binding:host_id" in changes:
            self._plug(thing.id, document["binding:host_id"])
        revision = document["revision_number"]
        alone = [each for each in thing.names if each.answered_s >= renaming.began_s] == [renaming]
        if alone and revision <= thing.revision:
            self._journal.violation("revisions grow", of=thing.id, held=thing.revision, to=revision)
        thing.revision = max(thing.revision, revision)
        await self._wait(done.revision)

    async def _delete(self, thing: Thing, parts: list[Thing]) -> None:
        """Delete a thing, and with it the parts that are not used."""
        affected = [each for each in (thing, *parts) if not each.may_be_gone]
        for each in affected:
            each.may_be_gone = True
        done = await self._ask(
            f"delete {thing.kind}", lambda: self._api.delete(self._caller, thing.kind, thing.id)
        )
        if not isinstance(done, Refusal):
            for each in (thing, *parts):
                each.is_gone = each.may_be_gone = True
            if thing.kind == "port":
                self._plug(thing.id, "")
        elif done.kind not in (Kind.UNAVAILABLE, Kind.NOT_FOUND):
            for each in affected:
                each.may_be_gone = False

    async def _ask(self, what: str, call: Callable[[], Awaitable[Written]]) -> Written | Refusal:
        self._journal.note("client.asks", client=self._name, what=what)
        try:
            done = await call()
        except Refusal as refusal:
            self._journal.note("client.refused", client=self._name, why=refusal.type)
            return refusal
        self._book.acknowledged(done.revision)
        self._journal.note("client.answered", client=self._name, revision=done.revision)
        return done

    async def _wait(self, revision: str) -> None:
        """Now and then, until hosts have it."""
        if self._chance.random() < 0.15:
            request = ConvergenceRequest(revision=revision, timeout_s=wait_s)
            try:
                await self._api.convergence.wait(request)
            except Refusal as refusal:
                self._journal.note("client.waited", client=self._name, why=refusal.type)

    def _plug(self, port_id: str, host: str) -> None:
        for each in self._hosts:
            if each.name == host:
                each.switch.plug(port_id)
            else:
                each.switch.unplug(port_id)

    def _names(self, count: int) -> list[str]:
        return [f"{self._name}-{self._asked}-{number}" for number in range(count)]

    def _some(self, kind: str) -> Thing | None:
        """One of the project's; now and then one whose end was asked for."""
        project = self._caller.project_id
        found = [t for t in self._book.living(kind) if t.document["project_id"] == project]
        if self._chance.random() < 0.03:
            found = [t for t in self._book.things.values() if t.kind == kind]
        return self._chance.choice(found) if found else None

    def _outside(self) -> Thing | None:
        outside = [t for t in self._book.living("network") if t.document["router:external"]]
        return outside[0] if outside else None

    def _address_in(self, subnet: Thing) -> Document:
        first = subnet.document["cidr"].rpartition(".")[0]
        chosen = {"subnet_id": subnet.id}
        if self._chance.random() < 0.7:
            chosen["ip_address"] = f"{first}.{self._chance.randint(2, 14)}"
        return chosen


async def furnish(api: Api, book: Book) -> None:
    """What an operator makes first: a network to the outside, with addresses."""
    network = {
        "name": "outside",
        "router:external": True,
        "provider:network_type": "flat",
        "provider:physical_network": physical_network,
    }
    made = await api.create(ADMIN, "network", [network])
    document = msgspec.json.decode(made.items[0])
    book.made("network", [document], 0.0, 0.0)
    subnet = {
        "name": "outside",
        "network_id": document["id"],
        "cidr": "192.0.2.0/26",
        "ip_version": 4,
        "enable_dhcp": False,
    }
    made = await api.create(ADMIN, "subnet", [subnet])
    book.made("subnet", [msgspec.json.decode(made.items[0])], 0.0, 0.0)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


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
}
