"""Use cases of trunks."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.trunking import Joining, ParentPortInUse, Seat
from alcor.managers.trunk.model.refusals import TrunkIdInUse
from alcor.managers.trunk.model.trunk import (
    SubPort,
    Trunk,
    changed,
    check_enabled,
    trunk,
    with_sub_ports,
    without_sub_ports,
)
from alcor.managers.trunk.needs import Peers, Store, Transaction
from alcor.managers.trunk.service.checking import Checking
from alcor.managers.trunk.service.settling import Settling
from alcor.managers.trunk.service.statuses import Statuses
from alcor.resource.revisions import check_revision, touched
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.revision import Revision

_encode = msgspec.json.Encoder().encode
NOTHING = str(Revision("port", 0))  # no host is to be waited for


class TrunkService:
    """Keeps the contract ActingManager.

    The revision that is answered is that of the ports which joined or left.
    """

    def __init__(
        self,
        store: Store,
        peers: Peers,
        settling: Settling,
        statuses: Statuses,
        makers: Makers,
        sub_ports_max: int,
    ) -> None:
        self._store = store
        self._ports = peers.trunk_ports
        self._checking = Checking(peers)
        self._settling = settling
        self._statuses = statuses
        self._makers = makers
        self._sub_ports_max = sub_ports_max

    async def list_page(self, request: ListRequest) -> ListReply:
        project, query = seen_by(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.page(query, project)))

    async def create(self, request: CreateRequest) -> Written:
        """All or none, with their sub-ports."""
        now, caller = self._makers.now(), request.caller
        new: list[Trunk] = []
        for item in request.items:
            made = trunk(item, item.get("id") or self._makers.new_id(), now)
            new.append(await self._filled(made, item["sub_ports"], caller))
        if len({each.id for each in new}) < len(new):
            raise TrunkIdInUse
        if len({each.port_id for each in new}) < len(new):
            raise ParentPortInUse(new[0].port_id)
        revision = NOTHING
        locks = self._settling.locks.of_all(each.id for each in new)
        async with locks, AsyncExitStack() as begun:
            for each in new:
                await begun.enter_async_context(self._settling.begun(each.id, each.port_ids))
                revision = await self._join(each, each.sub_ports, caller)

            def work(tx: Transaction) -> list[Raw]:
                for each in new:
                    tx.settled(each.id)
                return tx.insert(new)

            documents = await self._store.write(work)
        for each in new:
            await self._statuses.watch(each)
        return Written(documents, revision)

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Raw:
            old = tx.trunk(request.id, seen_by(request.caller))
            check_revision(request.if_revision, old.revision_number)
            return tx.save(changed(old, request.changes, now))

        async with self._settling.locks.of(request.id):
            return Written([await self._store.write(work)], NOTHING)

    async def delete(self, request: DeleteRequest) -> Written:
        """Its ports stay, and are of no trunk any more: their tags are not heard."""

        def work(tx: Transaction) -> None:
            held = tx.trunk(request.id, seen_by(request.caller))
            check_enabled(held)
            tx.remove(held.id)
            tx.note(held.id, held.port_ids)

        async with self._settling.locks.of(request.id):
            await self._store.write(work)
            revision = await self._settling.finish(request.id, request.caller.request_id)
        return Written([], revision)

    async def act(self, request: ActRequest) -> Written:
        project = seen_by(request.caller)
        if request.action == "get_subports":
            held = await self._store.read(lambda tx: tx.trunk(request.id, project))
            return Written([Raw(_encode({"sub_ports": held.sub_ports}))], "")
        async with self._settling.locks.of(request.id):
            if request.action == "add_subports":
                return await self._add(request)
            return await self._remove(request)

    async def _add(self, request: ActRequest) -> Written:
        held = await self._held(request)
        items = request.arguments["sub_ports"]
        filled = await self._filled(held, items, request.caller)
        more = filled.sub_ports[len(held.sub_ports) :]
        async with self._settling.begun(held.id, [each.port_id for each in more]):
            revision = await self._join(held, more, request.caller)
            document = await self._save(request, filled.sub_ports)
        await self._statuses.watch(filled)
        return Written([document], revision)

    async def _remove(self, request: ActRequest) -> Written:
        held = await self._held(request)
        going = [item["port_id"] for item in request.arguments["sub_ports"]]
        left = without_sub_ports(held, going)
        await self._store.write(lambda tx: tx.note(held.id, going))
        document = await self._save(request, left, keep_notes=True)
        revision = await self._settling.finish(held.id, request.caller.request_id)
        await self._statuses.watch(msgspec.structs.replace(held, sub_ports=left))
        return Written([document], revision)

    async def _held(self, request: ActRequest) -> Trunk:
        """The trunk, if something may come to it or leave it."""
        project = seen_by(request.caller)
        held = await self._store.read(lambda tx: tx.trunk(request.id, project))
        check_enabled(held)
        return held

    async def _filled(
        self, held: Trunk, items: Sequence[dict[str, object]], caller: Caller
    ) -> Trunk:
        """With these sub-ports beside those that it has."""
        more = await self._checking.sub_ports(held.port_id, items, seen_by(caller))
        sub_ports = with_sub_ports(held, more, self._sub_ports_max)
        return msgspec.structs.replace(held, sub_ports=sub_ports)

    async def _join(self, held: Trunk, more: Sequence[SubPort], caller: Caller) -> str:
        told = await self._ports.join(
            Joining(
                trunk_id=held.id,
                parent_id=held.port_id,
                seats=tuple(Seat(each.port_id, each.segmentation_id) for each in more),
                trace=caller.request_id,
            )
        )
        return told.revision

    async def _save(
        self, request: ActRequest, sub_ports: tuple[SubPort, ...], keep_notes: bool = False
    ) -> Raw:
        now = self._makers.now()

        def work(tx: Transaction) -> Raw:
            old = tx.trunk(request.id, seen_by(request.caller))
            if not keep_notes:
                tx.settled(old.id)
            return tx.save(touched(old, {"sub_ports": sub_ports}, now))

        return await self._store.write(work)
