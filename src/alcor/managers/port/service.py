"""What can be done with ports: one method per use case.

Writes go through one queue (`coalesce.py`), so that requests that come together are saved together.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Raw, Struct, json, structs

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


class Networks(Protocol):
    """What is known of networks."""

    def policy_of_network(self, id_: str) -> str: ...


class _OfNetwork(Struct):
    network_id: str


_of_network = json.Decoder(_OfNetwork).decode
_NO_POLICY = b'"qos_network_policy_id":null'


class PortService:
    """Keeps the contract ResourceManager."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        new_id: Callable[[], str],
        fixed_ips_max: int,
        networks: Networks,
        zone: str = "",
    ) -> None:
        self._networks = networks
        self._store = store
        self._queue = queue
        self._new_id = new_id
        self._fixed_ips_max = fixed_ips_max
        self._zone = zone  # the region's domain

    async def list_page(self, request: ListRequest) -> ListReply:
        project = jobs.project_of(request.caller)
        return ListReply(self._shown(await self._store.page(request.query, project)))

    async def create(self, request: CreateRequest) -> Written:
        """All ports of the request, or none."""
        items = [within(item, self._zone) for item in request.items]
        local = structs.replace(request, items=items)
        job = jobs.create(local, self._new_id, self._fixed_ips_max)
        done = await self._queue.ask(job, len(job.drafts))
        of_network = self._networks.policy_of_network
        ids = {draft.network_id for draft in job.drafts}
        return self._written(done) if any(map(of_network, ids)) else done

    async def update(self, request: UpdateRequest) -> Written:
        local = structs.replace(request, changes=within(request.changes, self._zone))
        return self._written(await self._queue.ask(jobs.update(local, self._fixed_ips_max)))

    async def delete(self, request: DeleteRequest) -> Written:
        return await self._queue.ask(jobs.Delete(request.caller, request.id))

    def _written(self, done: Written) -> Written:
        return Written(self._shown(done.items), done.revision)

    def _shown(self, documents: Sequence[Raw]) -> list[Raw]:
        """The ports' documents with the QoS policies of their networks put in."""
        return [self._with_network_policy(each) for each in documents]

    def _with_network_policy(self, document: Raw) -> Raw:
        policy = self._networks.policy_of_network(_of_network(document).network_id)
        if not policy:
            return document
        # Within a text the quotes would be escaped: this is the field and nothing else.
        told = b'"qos_network_policy_id":"%s"' % policy.encode()
        return Raw(bytes(document).replace(_NO_POLICY, told, 1))
