"""What can be done with ranges of segmentation ids."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.managers.network.model.segment import VXLAN
from alcor.managers.network.model.segment_range import (
    DEFAULT_ID,
    NetworkSegmentRangeDefaultReadOnly,
    SegmentRange,
    Span,
    changed,
    check_used,
    default_range,
    segment_range,
    shown,
)
from alcor.managers.network.tables import ranges as range_table
from alcor.managers.network.tables.ranges import RANGES
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.writes import Makers


class RangeService(KeptService[SegmentRange]):
    """Keeps the contract ResourceManager. What is used of a range is looked up when it is shown."""

    def __init__(
        self, store: KeptStore, makers: Makers, whole: Span, tunnel_type: str = VXLAN
    ) -> None:
        super().__init__(store, RANGES, makers)
        self._whole, self._tunnel_type = whole, tunnel_type

    async def recover(self) -> None:
        """The default range is what the configuration says now."""
        wanted = default_range(self._whole, self._makers.now(), self._tunnel_type)

        def work(tx: KeptTransaction) -> None:
            held = tx.find(RANGES, DEFAULT_ID)
            if held is None:
                tx.insert(RANGES, [wanted])
            elif (held.span, held.network_type) != (wanted.span, wanted.network_type):
                tx.save(RANGES, wanted)

        await self._store.write(work)

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> SegmentRange:
        return segment_range(values, id_, now, self._whole, self._tunnel_type)

    def changed(self, old: SegmentRange, changes: Mapping[str, Any], now: str) -> SegmentRange:
        return changed(old, changes, now, self._whole)

    def check_changed(self, tx: KeptTransaction, old: SegmentRange, new: SegmentRange) -> None:
        check_used(old, new, range_table.used(tx.connection, old))

    def check_gone(self, tx: KeptTransaction, held: SegmentRange) -> None:
        if held.default:
            raise NetworkSegmentRangeDefaultReadOnly(held.id)
        check_used(held, None, range_table.used(tx.connection, held))
        range_table.forget(tx.connection, held.id)

    def documents(self, tx: KeptTransaction, documents: Sequence[Raw]) -> list[Raw]:
        found = [RANGES.decode(bytes(document)) for document in documents]
        return [
            Raw(msgspec.json.encode(shown(each, range_table.used(tx.connection, each))))
            for each in found
        ]
