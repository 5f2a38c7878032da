"""What can be done with the bindings of ports, through the queue of all writes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.intent.records import NodeRecord
from alcor.managers.port.model import bindings
from alcor.managers.port.model.bindings import Binding, Bindings, Decided
from alcor.managers.port.model.jobs import Rebind, project_of
from alcor.managers.port.model.port import Port
from alcor.managers.port.model.segments import Reach
from alcor.managers.port.needs import Queue, Store, Transaction
from alcor.values.missing import PortNotFound

_encode = msgspec.json.Encoder().encode


class Hosts(Protocol):
    """Knows hosts."""

    async def hosts(self, ids: Iterable[str]) -> Mapping[str, NodeRecord]: ...

    async def reach(self, ids: Iterable[str]) -> Mapping[str, Reach]: ...


class BindingService:
    """Keeps the contract ActingManager, for the bindings under one port."""

    def __init__(self, store: Store, queue: Queue, hosts: Hosts, now: Callable[[], str]) -> None:
        self._store = store
        self._queue = queue
        self._hosts = hosts
        self._now = now

    async def list_page(self, request: ListRequest) -> ListReply:
        """The active one first; a port has few, so that there is one page."""
        port_id = _port_id(request.query)

        def work(tx: Transaction) -> list[Binding]:
            port = tx.ports([port_id]).get(port_id)
            if port is None or project_of(request.caller) not in (None, port.project_id):
                raise PortNotFound(port_id)
            return bindings.all_of(port, tx.bindings(port_id))

        held = await self._store.read(work)
        return ListReply([Raw(_encode(each)) for each in held if _fits(each, request.query)])

    async def create(self, request: CreateRequest) -> Written:
        """All of them, or none."""
        items, at = request.items, self._now()
        named = {item["host"] for item in items}
        nodes, reach = await self._hosts.hosts(named), await self._hosts.reach(named)

        def decide(port: Port, waiting: Bindings) -> Decided:
            for item in items:
                node = nodes.get(item["host"])
                port, waiting = bindings.added(
                    port, waiting, item, node=node, reach=reach.get(item["host"], ()), at=at
                )
            return port, waiting

        hosts = [item["host"] for item in items]
        return await self._done(request.caller, items[0]["port_id"], decide, hosts)

    async def update(self, request: UpdateRequest) -> Written:
        port_id, host = _parts(request.id)
        node, at = (await self._hosts.hosts({host})).get(host), self._now()
        return await self._done(
            request.caller,
            port_id,
            lambda p, w: bindings.changed(p, w, host, request.changes, node=node, at=at),
            [host],
        )

    async def act(self, request: ActRequest) -> Written:
        """`activate`."""
        port_id, host = _parts(request.id)
        at = self._now()
        return await self._done(
            request.caller, port_id, lambda p, w: bindings.activated(p, w, host, at=at), [host]
        )

    async def delete(self, request: DeleteRequest) -> Written:
        port_id, host = _parts(request.id)
        at = self._now()
        return await self._done(
            request.caller, port_id, lambda p, w: bindings.removed(p, w, host, at=at), []
        )

    async def _done(
        self,
        caller: Caller,
        port_id: str,
        decide: Callable[[Port, Bindings], Decided],
        hosts: Sequence[str],
    ) -> Written:
        """Have it done; answer with the bindings to these hosts, as they are after it."""
        after: list[Binding] = []

        def decided(port: Port, waiting: Bindings) -> Decided:
            new, left = decide(port, waiting)
            after[:] = [bindings.found(new, left, host) for host in hosts]
            return new, left

        done = await self._queue.ask(Rebind(caller, port_id, decided))
        return Written([Raw(_encode(each)) for each in after], done.revision)


def _parts(id_: str) -> tuple[str, str]:
    """The port and the host: a binding's id is one under its port only."""
    port_id, _, host = id_.partition("/")
    return port_id, host


def _port_id(query: ListQuery) -> str:
    (port_id,) = (str(f.values[0]) for f in query.filters if f.field == "port_id")
    return port_id


def _fits(held: Binding, query: ListQuery) -> bool:
    known = msgspec.structs.asdict(held) | {"id": held.host}
    return all(known[f.field] in f.values for f in query.filters if f.field in known)
