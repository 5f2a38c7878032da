"""A session with one bridge over its `.mgmt` socket: read back, change atomically, punt.

    conn = await OpenFlow.connect(run_dir / "br-int.mgmt")
    installed = await conn.flows(COOKIE, COOKIE_MASK)
    await conn.bundle(adds=[(flow_key(f), flow_body(f)) for f in missing], deletes=extra_keys)

One session is for one owner; packets want a session of their own, so that they don't wait behind
a bundle.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from alcor.ovs.channel import Channel, Disconnected, Refused
from alcor.ovs.flow import CONTROLLER, Action
from alcor.ovs.openflow import flows, meters, packets, wire
from alcor.ovs.openflow.flows import ALL_TABLES, Bundle, FlowBody, FlowCounts, FlowKey
from alcor.ovs.openflow.meters import (
    Meter,
    decode_meters,
    meter_mod,
)
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.openflow.tracking import Opening, flush, flush_zone
from alcor.ovs.openflow.wire import Message, SwitchError

answer_wait_s_max = 10.0
write_bytes_max = 1 << 18  # what is given to the socket at once
_METER_EXISTS = 12, 1


class BundleRefused(Exception):
    """Nothing was changed: the switch refused these flows."""

    def __init__(self, refused: Mapping[FlowKey, SwitchError], reason: str) -> None:
        super().__init__(f"{len(refused)} flows refused: {reason}")
        self.refused = refused


class Prepared(NamedTuple):
    """A bundle, encoded."""

    bundle: Bundle
    first: int  # xid of its first flow mod; those of the others, and of the barrier, follow
    keys: list[FlowKey]
    mods: list[bytes]


class Sent(NamedTuple):
    """A bundle that is on its way."""

    bundle: Bundle
    first: int
    keys: list[FlowKey]
    opened: asyncio.Future[bytes]
    collected: asyncio.Future[bytes]


class PacketQueue:
    """Packets that wait for an answer: bounded, and the oldest is dropped first."""

    def __init__(self, size: int) -> None:
        self._packets: deque[PacketIn] = deque(maxlen=size)
        self._filled = asyncio.Event()
        self.dropped = 0

    def put(self, packet: PacketIn) -> None:
        """Give this as `on_packet_in`."""
        self.dropped += len(self._packets) == self._packets.maxlen
        self._packets.append(packet)
        self._filled.set()

    async def get(self) -> PacketIn:
        """The oldest packet; waits for one."""
        while not self._packets:
            self._filled.clear()
            await self._filled.wait()
        return self._packets.popleft()


class OpenFlow:
    """A session with a bridge.

    `Disconnected` (an `OSError`, as a failed connect is) means: connect and read back again.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @classmethod
    async def connect(
        cls,
        path: str | os.PathLike[str],
        on_packet_in: Callable[[PacketIn], None] | None = None,
        timeout_s: float = answer_wait_s_max,
    ) -> Self:
        """Connect to the socket and greet; with `on_packet_in`, ask for packets too.

        The callback runs while reading: it must be quick and must not raise. `OSError` when nobody
        listens, `Disconnected` when it is not an OpenFlow 1.4 switch.
        """

        def on_unasked(message: Message) -> None:
            if message.type == wire.EXPERIMENTER and on_packet_in is not None:
                packet = packets.decode_packet_in(message.body)
                if packet is not None:
                    on_packet_in(packet)

        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(
            lambda: Channel(on_unasked, timeout_s), os.fspath(path)
        )
        session = cls(channel)
        try:
            await channel.greeting()
            if on_packet_in is not None:
                channel.send(packets.ask_for_packets(channel.reserve(1)))
            await session.barrier()
        except (Disconnected, Refused, asyncio.CancelledError):
            session.close()
            raise
        return session

    def close(self) -> None:
        """Close; pending calls raise `Disconnected`."""
        self._channel.close("closed by us")

    async def closed(self) -> str:
        """Wait until the session is over; returns why."""
        return await asyncio.shield(self._channel.closed)

    @property
    def stray_errors(self) -> int:
        """Errors of the switch that belong to no request (such as refused packet-outs)."""
        return self._channel.stray_errors

    async def barrier(self) -> None:
        """Return when the switch has done everything sent before."""
        xid = self._channel.reserve(1)
        await self._channel.request(xid, wire.message(wire.BARRIER_REQUEST, xid))

    # Flows

    async def flows(
        self, cookie: int = 0, mask: int = 0, table: int = ALL_TABLES
    ) -> dict[FlowKey, FlowBody]:
        """Read back the flows whose cookie agrees with `cookie` in the bits of `mask`."""
        found: dict[FlowKey, FlowBody] = {}
        xid = self._channel.reserve(1)
        data = flows.stats_request(xid, cookie, mask, table)
        await self._channel.request(xid, data, lambda part: flows.decode_flows(part, found))
        return found

    async def counts(self, table: int = ALL_TABLES) -> dict[FlowKey, FlowCounts]:
        """How often each flow of a table was hit."""
        found: dict[FlowKey, FlowCounts] = {}
        xid = self._channel.reserve(1)
        data = flows.stats_request(xid, 0, 0, table)
        await self._channel.request(xid, data, lambda part: flows.decode_counts(part, found))
        return found

    async def bundle(
        self,
        adds: Iterable[tuple[FlowKey, FlowBody]] = (),
        deletes: Iterable[FlowKey] = (),
    ) -> None:
        """Put and delete flows, in this order, all or nothing.

        Two phases, for the switch only leaves out what it refuses early: everything is sent, a
        barrier tells what was refused; only when that is nothing is the bundle committed.
        `BundleRefused` names the flows. A large bundle holds everything else on the switch up:
        cut at about 1,000 flows.
        """
        await self.commit(self.send(self.prepare(adds, deletes)))

    def prepare(
        self,
        adds: Iterable[tuple[FlowKey, FlowBody]] = (),
        deletes: Iterable[FlowKey] = (),
    ) -> Prepared:
        """The first third of `bundle`: encode. So one can be made while another is under way."""
        adds, deletes = list(adds), list(deletes)
        keys = [*(key for key, _ in adds), *deletes]
        number = self._channel.reserve(len(keys) + 4)
        bundle, first = Bundle(number), number + 1
        mods = [bundle.put(xid, *add) for xid, add in enumerate(adds, first)]
        mods += [bundle.take(xid, key) for xid, key in enumerate(deletes, first + len(adds))]
        return Prepared(bundle, first, keys, mods)

    def send(self, prepared: Prepared) -> Sent:
        """The second third: give it to the switch, which collects it."""
        bundle, first, keys, mods = prepared
        opened = self._channel.expect(bundle.number)
        self._channel.send(bundle.control(bundle.number, flows.OPEN) + b"".join(mods))
        xid = first + len(keys)
        collected = self._channel.expect(xid)
        self._channel.send(wire.message(wire.BARRIER_REQUEST, xid))
        return Sent(bundle, first, keys, opened, collected)

    async def commit(self, sent: Sent) -> None:
        """The last third: have it done, when the switch has refused none of it."""
        channel, (bundle, first, keys, opened, collected) = self._channel, sent
        await channel.answer(collected)
        await channel.answer(opened)
        last = first + len(keys)  # of the barrier
        refusals = channel.refusals(first, last - 1)
        if refusals:
            await channel.request(last + 1, bundle.control(last + 1, flows.DISCARD))
            raise _refused(refusals, keys, first, "")
        try:
            await channel.request(last + 2, bundle.control(last + 2, flows.COMMIT))
        except Refused as refused:
            refusals = channel.refusals(first, last - 1)
            raise _refused(refusals, keys, first, str(refused)) from refused

    async def delete_flows(self, cookie: int, mask: int) -> None:
        """Delete every flow whose cookie agrees in the bits of the mask."""
        xid = self._channel.reserve(1)
        await self._confirm(xid, [flows.delete_flows(xid, cookie, mask)])

    # Meters

    async def meters(self) -> dict[int, Meter]:
        """The meters of the bridge."""
        found: dict[int, Meter] = {}
        xid = self._channel.reserve(1)
        data = meters.meters_request(xid)
        await self._channel.request(xid, data, lambda part: found.update(decode_meters(part)))
        return found

    async def set_meters(self, wanted: Mapping[int, Meter]) -> None:
        """Make these meters be so; the flows that use them stay. `Refused` names the first."""

        def mods(command: int, first: int, ids: Sequence[int]) -> list[bytes]:
            return [meter_mod(xid, command, id_, wanted[id_]) for xid, id_ in enumerate(ids, first)]

        ids = list(wanted)
        first = self._channel.reserve(max(len(ids), 1))
        refusals = await self._send(first, mods(meters.ADD, first, ids))
        there = []
        for xid, error in refusals.items():
            if (error.type, error.code) != _METER_EXISTS:
                raise Refused(error)
            there.append(ids[xid - first])
        if there:
            first = self._channel.reserve(len(there))
            await self._confirm(first, mods(meters.MODIFY, first, there))

    async def del_meter(self, meter_id: int) -> None:
        """Delete a meter, and with it every flow that uses it."""
        xid = self._channel.reserve(1)
        await self._confirm(xid, [meter_mod(xid, meters.DELETE, meter_id, Meter(0, 0))])

    # Connections

    async def flush_zones(self, zones: Iterable[int]) -> None:
        """Forget every connection of these zones of the connection tracker."""
        wanted = list(zones)
        if wanted:
            first = self._channel.reserve(len(wanted))
            messages = [flush_zone(xid, zone) for xid, zone in enumerate(wanted, first)]
            await self._confirm(first, messages)

    def flush(self, zone: int, opening: Opening) -> None:
        """Forget connections of a zone; not confirmed, as `packet_out` isn't."""
        self._channel.send(flush(0, zone, opening))

    # Packets

    def packet_out(self, data: bytes, actions: Sequence[Action], in_port: int = CONTROLLER) -> None:
        """Send a frame through actions; all that is sent while reading goes in one write.

        Not confirmed: what the switch refuses is counted in `stray_errors`.
        """
        self._channel.send(packets.packet_out(0, data, actions, in_port))

    # How

    async def _confirm(self, first: int, messages: Sequence[bytes]) -> None:
        """Send messages with xids from `first` on; `Refused` with the first error."""
        refusals = await self._send(first, messages)
        for error in refusals.values():
            raise Refused(error)

    async def _send(self, first: int, messages: Sequence[bytes]) -> dict[int, SwitchError]:
        await self._write(messages)
        await self.barrier()
        return self._channel.refusals(first, first + len(messages) - 1)

    async def _write(self, messages: Sequence[bytes]) -> None:
        """Write in pieces, no faster than the switch reads."""
        piece, size = [], 0
        for each in messages:
            piece.append(each)
            size += len(each)
            if size >= write_bytes_max:
                self._channel.send(b"".join(piece))
                await self._channel.drain()
                piece, size = [], 0
        self._channel.send(b"".join(piece))
        await self._channel.drain()


def _refused(
    refusals: Mapping[int, SwitchError], keys: Sequence[FlowKey], first: int, reason: str
) -> BundleRefused:
    by_key = {keys[xid - first]: error for xid, error in refusals.items()}
    reasons = sorted({str(error) for error in by_key.values()})
    return BundleRefused(by_key, "; ".join(reasons) or reason)
