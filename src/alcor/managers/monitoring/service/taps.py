"""Use cases of tap services and tap flows."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    CreateRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.monitoring.model.tap import (
    ACTIVE,
    DOWN,
    InvalidSourcePort,
    PortDoesNotBelongToTenant,
    TapFlow,
    TapService,
    numbers,
    tap_flow,
    tap_service,
)
from alcor.managers.monitoring.needs import Peers
from alcor.managers.monitoring.service.subjects import Subjects
from alcor.managers.monitoring.sql import TAP_FLOWS, TAP_SERVICES
from alcor.resource.revisions import different
from alcor.runtime.managing.kept import Kept, KeptStore, KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.missing import PortNotFound

T = TypeVar("T", bound=TapService | TapFlow)
_HIDDEN = ("tap_port", "number")  # between managers and hosts


class _Tapping(KeptService[T]):
    """What is common to both: they are up while their ports are, and go with them."""

    def __init__(
        self, store: KeptStore, kind: Kept[T], makers: Makers, peers: Peers, ports: Subjects
    ) -> None:
        super().__init__(store, kind, makers)
        self._peers, self._ports = peers, ports

    def changed(self, old: T, changes: Mapping[str, Any], now: str) -> T:
        return different(old, changes)

    def documents(self, tx: KeptTransaction, documents: Sequence[Raw]) -> Sequence[Raw]:
        """Down: a new one is not on any host yet."""
        return [_shown(each, {}) for each in documents]

    async def list_page(self, request: ListRequest) -> ListReply:
        """Whose port has gone meanwhile has gone, too."""
        project, query = seen_by(request.caller), request.query
        page = await self._store.read(lambda tx: tx.page(self._kind, query, project))
        status_by_id = await self._statuses([self._kind.decode(each) for each in page])
        reply = await super().list_page(request)
        return ListReply([_shown(each, status_by_id) for each in reply.items])

    async def update(self, request: UpdateRequest) -> Written:
        written = await super().update(request)
        held = await self._store.read(lambda tx: tx.find(self._kind, request.id))
        status_by_id = await self._statuses([] if held is None else [held])
        items = [_shown(each, status_by_id) for each in written.items]
        return msgspec.structs.replace(written, items=items)

    async def _statuses(self, things: Sequence[T]) -> dict[str, str]:
        """Each is up while all its ports are."""
        every = await self._ports.statuses(id_ for each in things for id_ in each.ports)
        return {
            each.id: ACTIVE if all(every.get(id_) == ACTIVE for id_ in each.ports) else DOWN
            for each in things
        }


class TapServiceService(_Tapping[TapService]):
    """Keeps the contract ResourceManager."""

    def __init__(self, store: KeptStore, makers: Makers, peers: Peers, ports: Subjects) -> None:
        super().__init__(store, TAP_SERVICES, makers, peers, ports)

    def check_gone(self, tx: KeptTransaction, held: TapService) -> None:
        """Its flows go with it."""
        flows = tx.where(TAP_FLOWS, "tap_service_id = ?", held.id)
        tx.remove(TAP_FLOWS, [each.id for each in flows])

    async def create(self, request: CreateRequest) -> Written:
        """All, or none."""
        for item in request.items:
            port = await self._peers.port(item["port_id"], request.caller)
            if port is None:
                raise PortNotFound(item["port_id"])
            if port.project_id != item["project_id"]:
                raise PortDoesNotBelongToTenant
        ids = [item.get("id") or self._makers.new_id() for item in request.items]

        def work(tx: KeptTransaction) -> Written:
            free = _free_numbers(tx, len(ids))
            made = zip(request.items, ids, free, strict=True)
            new = [tap_service(*each) for each in made]
            return tx.written(self.documents(tx, tx.insert(TAP_SERVICES, new)))

        self._ports.watch(item["port_id"] for item in request.items)
        return await self._store.write(work, request.caller.request_id)


class TapFlowService(_Tapping[TapFlow]):
    """Keeps the contract ResourceManager."""

    def __init__(self, store: KeptStore, makers: Makers, peers: Peers, ports: Subjects) -> None:
        super().__init__(store, TAP_FLOWS, makers, peers, ports)

    async def create(self, request: CreateRequest) -> Written:
        """All, or none."""
        for item in request.items:
            if await self._peers.port(item["source_port"], request.caller) is None:
                raise InvalidSourcePort(item["source_port"])
        ids = [item.get("id") or self._makers.new_id() for item in request.items]
        project = seen_by(request.caller)

        def work(tx: KeptTransaction) -> Written:
            services = (tx.get(TAP_SERVICES, i["tap_service_id"], project) for i in request.items)
            made = zip(request.items, ids, services, strict=True)
            new = [tap_flow(*each) for each in made]
            return tx.written(self.documents(tx, tx.insert(TAP_FLOWS, new)))

        self._ports.watch(item["source_port"] for item in request.items)
        return await self._store.write(work, request.caller.request_id)


def _free_numbers(tx: KeptTransaction, count: int) -> list[int]:
    """Numbers that no service has, counting on from the manager's writes: who has just lost one
    may still be sent copies under it, so it must not be another's soon."""
    free: list[int] = []
    number = tx.sequence()
    while len(free) < count:
        number = number % numbers + 1
        if not tx.where(TAP_SERVICES, "number = ?", number):
            free.append(number)
    return free


def _shown(document: Raw, status_by_id: Mapping[str, str]) -> Raw:
    fields = msgspec.json.decode(document)
    shown = {name: value for name, value in fields.items() if name not in _HIDDEN}
    status = status_by_id.get(shown["id"]) or shown.get("status", DOWN)
    return Raw(msgspec.json.encode(shown | {"status": status}))
