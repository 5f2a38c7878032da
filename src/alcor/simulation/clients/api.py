"""The managers of a simulated region, as a gateway reaches them: by contracts over NATS.

Bodies are checked by the resources' declarations.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from alcor.assembly.resources import contract_of, declared
from alcor.contracts.convergence import ConvergencePeer
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
from alcor.runtime.calls.nats_wire import NatsWire
from alcor.runtime.calls.rpc import far_peer
from alcor.simulation.clients.book import Book
from alcor.simulation.host import physical_network
from alcor.values.errors import Unavailable

KINDS = ("network", "subnet", "port", "security_group", "security_group_rule", "router")
KINDS_TOO = ("floatingip", "tap_service", "tap_flow")
ADMIN = Caller(project_id="admin", admin=True, roles=("admin",))
items_max = 100
asked_again_max, ask_again_s = 60, 1.0  # of what is read in the end

Document = dict[str, Any]


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
