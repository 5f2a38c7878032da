"""Ports join and leave trunks, through the queue of all writes."""

from collections.abc import Callable, Sequence

from alcor.contracts.trunking import Joining, Leaving, Seated
from alcor.managers.port.model.jobs import Together
from alcor.managers.port.model.trunking import Changes, Find, joined, left
from alcor.managers.port.needs import Queue


class TrunkPorts:
    """Keeps the contract TrunkPortPeer."""

    def __init__(self, queue: Queue, now: Callable[[], str]) -> None:
        self._queue = queue
        self._now = now

    async def join(self, request: Joining) -> Seated:
        at = self._now()
        ids = [request.parent_id, *(seat.port_id for seat in request.seats)]
        return await self._done(request.trace, ids, lambda find: joined(request, find, at))

    async def leave(self, request: Leaving) -> Seated:
        at = self._now()
        ids = request.port_ids
        return await self._done(request.trace, ids, lambda find: left(request, find, at))

    async def _done(
        self, trace: str, ids: Sequence[str], decide: Callable[[Find], Changes]
    ) -> Seated:
        job = Together(trace, ids, decide)
        return Seated((await self._queue.ask(job, len(ids))).revision)
