"""The segments of networks: the first is of its network's id, further ones are made by operators.

Source: Neutron API reference v2, "Segments".
"""

import msgspec
from msgspec import Raw

from alcor.contracts.peers import Ids, SegmentOf, SubnetPeer
from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.segments import SegmentPlace, SegmentPlaces
from alcor.managers.network.model.network import Limits
from alcor.managers.network.model.network_segment import (
    NetworkSegment,
    SegmentInUse,
    described,
    further,
)
from alcor.managers.network.model.segment import segment
from alcor.managers.network.segment_store import SegmentStore
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.unfinished import Unfinished
from alcor.runtime.managing.writes import Makers
from alcor.values.revision import Revision

_THE_FIRST = "a network has a first one, which goes with it"
_HAS_SUBNETS = "it is still associated with subnet(s)"


class SegmentService:
    """Keeps the contracts ResourceManager, for operators, who see all networks, and SegmentPeer."""

    def __init__(
        self, store: SegmentStore, subnets: SubnetPeer, limits: Limits, makers: Makers
    ) -> None:
        self._store = store
        self._subnets = subnets
        self._limits = limits
        self._makers = makers
        self.unfinished = Unfinished()

    async def list_page(self, request: ListRequest) -> ListReply:
        return ListReply(await self._store.page(request.query))

    async def create(self, request: CreateRequest) -> Written:
        """All, or none."""
        now, limits = self._makers.now(), self._limits
        new = [
            further(
                segment(values, limits.vni_min, limits.vni_max, limits.tunnel_type),
                values["network_id"],
                self._makers.new_id(),
                now,
                values,
            )
            for values in request.items
        ]
        saved = await self._store.add(new, request.caller.request_id, now)
        return Written(saved.documents, _revision(saved.sequence))

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def decide(old: NetworkSegment) -> NetworkSegment:
            check_revision(request.if_revision, old.revision_number)
            return described(old, request.changes, now)

        new, sequence = await self._store.describe(request.id, decide)
        return Written([Raw(msgspec.json.encode(new))], _revision(sequence))

    async def delete(self, request: DeleteRequest) -> Written:
        """Fence it against new subnets, then delete; refused when it has some."""
        async with self.unfinished.begun(request.id):
            held = await self._store.segment(request.id)
            if held.is_first:
                raise SegmentInUse(held.id, _THE_FIRST)
            try:
                if (await self._subnets.fence_segment(SegmentOf(held.network_id, held.id))).ids:
                    raise SegmentInUse(held.id, _HAS_SUBNETS)
                now, trace = self._makers.now(), request.caller.request_id
                sequence = await self._store.remove(held.id, trace, now)
            except BaseException:
                # Not a fault to swallow: whatever went wrong, the segment stays, unfenced.
                await self._subnets.lift(Ids([held.id]))
                raise
        return Written([], _revision(sequence))

    async def segments(self, request: Ids) -> SegmentPlaces:
        return SegmentPlaces(
            [
                SegmentPlace(
                    id=each.id,
                    network_id=each.network_id,
                    physical_network=each.physical_network or "",
                    alone=of == 1,
                )
                for each, of in await self._store.kin(request.ids)
            ]
        )

    async def recover(self) -> None:
        """Networks that were made before segments were kept get theirs, and a deletion that was
        cut short leaves the segment as it was."""
        await self._store.fill()
        if further := await self._store.further():
            async with self.unfinished.begun(*further):
                living = set(await self._store.further())  # none of which is being deleted now
                await self._subnets.lift(Ids([id_ for id_ in further if id_ in living]))


def _revision(sequence: int) -> str:
    return str(Revision("network", sequence))
