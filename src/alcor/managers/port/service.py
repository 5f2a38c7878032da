"""What can be done with ports: one method per use case.

Writes go through one queue (`coalesce.py`), so that requests that come together are saved together.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import structs

from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.port import jobs
from alcor.managers.port.jobs import Job
from alcor.managers.port.names import within
from alcor.managers.port.needs import Store


class Queue(Protocol):
    """Has jobs done, many together."""

    def ask(self, request: Job, weight: int = 1) -> Awaitable[Written]: ...


class PortService:
    """Keeps the contract ResourceManager."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        new_id: Callable[[], str],
        fixed_ips_max: int,
        zone: str = "",
    ) -> None:
        self._store = store
        self._queue = queue
        self._new_id = new_id
        self._fixed_ips_max = fixed_ips_max
        self._zone = zone  # the region's domain

    async def list_page(self, request: ListRequest) -> ListReply:
        project = jobs.project_of(request.caller)
        return ListReply(await self._store.page(request.query, project))

    async def create(self, request: CreateRequest) -> Written:
        """All ports of the request, or none."""
        items = [within(item, self._zone) for item in request.items]
        local = structs.replace(request, items=items)
        job = jobs.create(local, self._new_id, self._fixed_ips_max)
        return await self._queue.ask(job, len(job.drafts))

    async def update(self, request: UpdateRequest) -> Written:
        local = structs.replace(request, changes=within(request.changes, self._zone))
        return await self._queue.ask(jobs.update(local, self._fixed_ips_max))

    async def delete(self, request: DeleteRequest) -> Written:
        return await self._queue.ask(jobs.Delete(request.caller, request.id))
