"""What can be done with ports: one method per use case.

Writes go through one queue (`runtime/coalesce.py`), so that requests that come together are saved
together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Raw, Struct, json, structs

from alcor.contracts.qos import PoliciesRequest, QosPolicyPeer
from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.intent.records import NetworkRecord, QosRuleRecord
from alcor.managers.port.model import jobs, placement
from alcor.managers.port.model.names import within
from alcor.managers.port.model.segments import OnSegment
from alcor.managers.port.needs import Queue, Store


class Networks(Protocol):
    """What is known of networks."""

    def policy_of_network(self, id_: str) -> str: ...

    async def networks(self, ids: Iterable[str]) -> dict[str, NetworkRecord]: ...


class _Asking(Struct, rename={"vnic_type": "binding:vnic_type", "segment": "alcor:segment"}):
    """What of a port says which QoS policies it has, and what they ask for."""

    id: str
    network_id: str
    vnic_type: str
    qos_policy_id: str | None
    segment: OnSegment | None = None


_asking = json.Decoder(_Asking).decode
_NO_POLICY = b'"qos_network_policy_id":null'
_NO_REQUEST = b'"resource_request":null'


class PortService:
    """Keeps the contract ResourceManager."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        new_id: Callable[[], str],
        fixed_ips_max: int,
        networks: Networks,
        zone: str,
        policies: QosPolicyPeer,
    ) -> None:
        self._policies = policies
        self._networks = networks
        self._store = store
        self._queue = queue
        self._new_id = new_id
        self._fixed_ips_max = fixed_ips_max
        self._zone = zone  # the region's domain

    async def list_page(self, request: ListRequest) -> ListReply:
        project = jobs.project_of(request.caller)
        return ListReply(await self._shown(await self._store.page(request.query, project)))

    async def create(self, request: CreateRequest) -> Written:
        """All ports of the request, or none."""
        items = [within(item, self._zone) for item in request.items]
        local = structs.replace(request, items=items)
        job = jobs.create(local, self._new_id, self._fixed_ips_max)
        done = await self._queue.ask(job, len(job.drafts))
        of_network = self._networks.policy_of_network
        ids = {draft.network_id for draft in job.drafts}
        own = any(item["qos_policy_id"] for item in items)
        return await self._written(done) if own or any(map(of_network, ids)) else done

    async def update(self, request: UpdateRequest) -> Written:
        local = structs.replace(request, changes=within(request.changes, self._zone))
        return await self._written(await self._queue.ask(jobs.update(local, self._fixed_ips_max)))

    async def delete(self, request: DeleteRequest) -> Written:
        return await self._queue.ask(jobs.Delete(request.caller, request.id))

    async def _written(self, done: Written) -> Written:
        return Written(await self._shown(done.items), done.revision)

    async def _shown(self, documents: Sequence[Raw]) -> list[Raw]:
        """The ports' documents with what follows from QoS policies put in: which their networks
        have, and what placement is asked for."""
        ports = [_asking(each) for each in documents]
        of_network = {
            each.network_id: self._networks.policy_of_network(each.network_id) for each in ports
        }
        policies = [each.qos_policy_id or of_network[each.network_id] for each in ports]
        if not any(policies) and not any(of_network.values()):
            return list(documents)
        rules_by_policy = await self._rules(policies)
        placed = [each for each, of in zip(ports, policies, strict=True) if rules_by_policy.get(of)]
        networks = await self._networks.networks({each.network_id for each in placed})
        shown: list[Raw] = []
        for document, port, policy in zip(documents, ports, policies, strict=True):
            text = bytes(document)
            if held := of_network[port.network_id]:
                # Within a text the quotes would be escaped: this is the field and nothing else.
                told = b'"qos_network_policy_id":"%s"' % held.encode()
                text = text.replace(_NO_POLICY, told, 1)
            rules, network = rules_by_policy.get(policy, ()), networks.get(port.network_id)
            if rules and network is not None:
                on = port.segment or network
                wanted = placement.request(port.id, port.vnic_type, on.physical_network, rules)
                told = b'"resource_request":%s' % json.encode(wanted)
                text = text.replace(_NO_REQUEST, told, 1)
            shown.append(Raw(text))
        return shown

    async def _rules(self, policies: Iterable[str]) -> Mapping[str, Sequence[QosRuleRecord]]:
        """The rules of those of these policies that ask placement for something."""
        ids = sorted(set(policies) - {""})
        if not ids:
            return {}
        reply = await self._policies.policies(PoliciesRequest(ids))
        return {each.id: each.rules for each in reply.policies if placement.asks(each.rules)}
