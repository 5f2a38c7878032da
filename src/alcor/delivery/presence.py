"""Which deliveries live, and whose hosts nobody serves any more.

A delivery that ends well says of each of its hosts that it is gone. One that is killed says
nothing: the others notice that it is silent, and say so of those that have not come to them.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from alcor.delivery.hosts import Hosts, decode_host
from alcor.goal_state.reports import (
    ASKED,
    delivery_beat_every_s,
    delivery_key,
    delivery_prefix,
    delivery_silence_s_max,
    host_key,
)
from alcor.keyed_log.log import Change, Compacted, Entry, KeyedLog, Slow

_log = structlog.get_logger(__name__)

_encode = msgspec.msgpack.Encoder().encode


class Presence:
    """Says that this delivery lives, and speaks for those that died."""

    def __init__(
        self, delivery: int, reports: KeyedLog, hosts: Hosts, now_s: Callable[[], float]
    ) -> None:
        self._delivery = delivery
        self._reports = reports
        self._hosts = hosts
        self._now_s = now_s
        self._beats = 0
        self._heard_s: dict[int, float] = {}  # when other deliveries were heard last

    async def beat(self) -> None:
        """Say every few seconds that we live, and bury hosts of who does not; for ever."""
        while True:
            self._beats += 1
            own = Change(delivery_key(self._delivery), ASKED, self._beats)
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
            delivery = int(entry.key.rpartition("/")[2])
            if entry.value is not None:
                self._heard_s[delivery] = self._now_s()
            self._hosts.answers(delivery, asked=entry.value in (ASKED, None))

    def _silent(self) -> Iterator[int]:
        for delivery in {*self._hosts.deliveries, *self._heard_s} - {self._delivery}:
            heard_s = self._heard_s.setdefault(delivery, self._now_s())
            if self._now_s() - heard_s > delivery_silence_s_max:
                yield delivery

    async def _bury(self, deliveries: Sequence[int]) -> None:
        for delivery in deliveries:
            hosts = await self._hosts_of(delivery)
            key = delivery_key(delivery)
            beats = (await self._reports.get([key])).values()
            if lost := [*hosts, *(Change(key, None, each.revision + 1) for each in beats)]:
                _log.warning("delivery.silent", delivery=delivery, hosts=len(hosts))
                await self._reports.put(lost)  # else it has said itself that it ends
            self._heard_s.pop(delivery, None)
            self._hosts.answers(delivery, asked=True)  # nobody reads there what hosts say

    async def _hosts_of(self, delivery: int) -> list[Change]:
        """That its hosts are gone."""
        keys = [host_key(host) for host in self._hosts.connected_to(delivery)]
        lost = []
        for entry in (await self._reports.get(keys)).values():
            report = decode_host(entry.value or b"")
            if report.connected and report.delivery == delivery:
                gone = _encode(msgspec.structs.replace(report, connected=False))
                # A host that connects anew beats it.
                lost.append(Change(entry.key, gone, entry.revision + 1))
        return lost
