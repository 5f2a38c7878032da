"""Which deliveries live, and whose hosts nobody serves any more.

A delivery that ends well says of each of its hosts that it is gone. One that is killed says
nothing: the others notice that it is silent, and say so of those that have not come to them.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from alcor.delivery.report_log import decode_host
from alcor.goal_state.reports import (
    HostReport,
    delivery_beat_every_s,
    delivery_key,
    delivery_prefix,
    delivery_silence_s_max,
)
from alcor.keyed_log.log import Change, Compacted, Entry, KeyedLog, Slow

_log = structlog.get_logger(__name__)

_encode = msgspec.msgpack.Encoder().encode


class Presence:
    """Says that this delivery lives, and speaks for those that died."""

    def __init__(self, delivery: int, reports: KeyedLog, now_s: Callable[[], float]) -> None:
        self._delivery = delivery
        self._reports = reports
        self._now_s = now_s
        self._beats = 0
        self._heard_s: dict[int, float] = {}  # when other deliveries were heard last
        self._theirs: dict[str, tuple[Entry, HostReport]] = {}  # connected hosts of others

    def hear(self, entries: Sequence[Entry]) -> None:
        """What was told of hosts."""
        for entry in entries:
            host = entry.key.partition("/")[2]
            self._theirs.pop(host, None)
            if entry.value is None:
                continue
            report = decode_host(entry.value)
            if report.connected and report.delivery != self._delivery:
                self._theirs[host] = entry, report
                self._heard_s.setdefault(report.delivery, self._now_s())

    async def beat(self) -> None:
        """Say every few seconds that we live, and bury hosts of who does not; for ever."""
        while True:
            self._beats += 1
            own = Change(delivery_key(self._delivery), b"", self._beats)
            await self._reports.put([own])
            await self._bury(list(self._silent()))
            await asyncio.sleep(delivery_beat_every_s)

    async def follow(self) -> None:
        """Hear others, for ever."""
        while True:
            snapshot = await self._reports.snapshot(delivery_prefix)
            self._beaten(snapshot.entries)
            try:
                async for entries in self._reports.watch(delivery_prefix, snapshot.position):
                    self._beaten(entries)
            except (Slow, Compacted):
                continue

    async def stop(self) -> None:
        """Say that we are gone."""
        await self._reports.put([Change(delivery_key(self._delivery), None, self._beats + 1)])

    def _beaten(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.value is not None:
                self._heard_s[int(entry.key.rpartition("/")[2])] = self._now_s()

    def _silent(self) -> Iterator[int]:
        for delivery, heard_s in self._heard_s.items():
            if delivery != self._delivery and self._now_s() - heard_s > delivery_silence_s_max:
                yield delivery

    async def _bury(self, deliveries: Sequence[int]) -> None:
        for delivery in deliveries:
            held = [(e, r) for e, r in self._theirs.values() if r.delivery == delivery]
            _log.warning("delivery.silent", delivery=delivery, hosts=len(held))
            lost = [
                Change(
                    entry.key,
                    _encode(msgspec.structs.replace(report, connected=False)),
                    entry.revision + 1,  # a host that connects anew beats it
                )
                for entry, report in held
            ]
            key = delivery_key(delivery)
            beats = (await self._reports.get([key])).values()
            lost += [Change(key, None, each.revision + 1) for each in beats]
            await self._reports.put(lost)
            self._heard_s.pop(delivery, None)
