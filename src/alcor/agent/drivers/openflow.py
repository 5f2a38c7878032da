"""The driver of flows and meters: reads back, compares, and sends only the difference.

It speaks to the bridge's own socket, so no controller is configured and nothing is flushed when
the agent comes or goes. A lost connection means that nothing is known: read back again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from alcor.agent.compiler.compiler import Change
from alcor.agent.drivers.attempts import Attempts
from alcor.agent.drivers.flow_tracker import Batch, FlowTracker
from alcor.agent.drivers.zones import Zones
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import Unit, UnitKind
from alcor.ovs.channel import Disconnected, Refused
from alcor.ovs.connection import BundleRefused, OpenFlow, Sent
from alcor.ovs.openflow.flows import FlowBody, FlowCounts, FlowKey
from alcor.ovs.openflow.meters import Meter

look_every_s = 10.0  # whether the switch answers still; one that hangs closes no connection
away_s_min = 2.0  # a switch that is back sooner was only started again

log = structlog.get_logger()


class FlowDriver:
    """Makes one bridge's flows and meters what is wanted."""

    def __init__(
        self,
        socket: Path,
        metrics: Metrics,
        connect: Callable[[Path], Awaitable[OpenFlow]] = OpenFlow.connect,
    ) -> None:
        self._socket = socket
        self._connect = connect
        self._metrics = metrics
        self._tracker = FlowTracker()
        self._zones = Zones()
        self._meters: dict[int, Meter] = {}  # wanted
        self._meters_there: dict[int, Meter] = {}
        self._meters_due: set[int] = set()  # to take away, if still not wanted
        self._session: OpenFlow | None = None
        self._complete = False  # what is wanted is all that must be there

    @property
    def connected(self) -> bool:
        """Whether the switch is there and has been read back."""
        return self._session is not None

    @property
    def quarantined(self) -> dict[Unit, str]:
        """Units that the switch refused, and why."""
        return self._tracker.quarantined

    @property
    def flows_count(self) -> int:
        """How many flows the switch is believed to have."""
        return self._tracker.installed_count

    def want(self, change: Change) -> None:
        """Move what is wanted; `apply` makes it so."""
        self._tracker.want(change)
        self._zones.want(change)
        for each in change.meters_put:
            self._meters[each.id] = Meter(each.rate, each.burst, each.per_packet)
        for meter_id in change.meters_taken:
            self._meters.pop(meter_id, None)
            self._meters_due.add(meter_id)

    def left_over(self, kind: UnitKind) -> list[tuple[FlowKey, FlowBody]]:
        """The flows of a kind of units that the switch has, and that are not wanted."""
        return self._tracker.left_over(kind)

    def prune(self) -> None:
        """What must be there is completely known, from now on: what else is there goes."""
        self._complete = True
        self._prune()

    def _prune(self) -> None:
        self._meters_due |= self._meters_there.keys()
        strays = self._tracker.prune()
        if strays:
            log.info("flows left over", flows=strays)

    async def apply(self, more: Iterable[Change] = ()) -> bool:
        """Make the switch as wanted, acknowledged; False when it is not there, or must wait.

        Each step waits for its own acknowledgement, so that nothing to do costs nothing.
        `more` that is wanted is asked for while the switch is busy with what was before it.
        """
        session = self._session
        if session is None or self._tracker.waits:
            return False
        try:
            await self._put_meters(session)
            await self._empty_zones(session)
            await self._send(session, iter(more))
            await self._flush_zones(session)
            await self._take_meters(session)
        except (Disconnected, Refused) as error:
            self._lose(session, str(error))
            return False
        return True

    async def audit(self) -> None:
        """Read back; what somebody else changed is put right by the next `apply`."""
        session = self._session
        if session is None:
            return
        try:
            drift = await self._read_back(session)
        except (Disconnected, Refused) as error:
            self._lose(session, str(error))
            return
        self._metrics.drift.set(drift)
        if drift:
            log.warning("the switch was changed by somebody else", flows=drift)

    async def counts(self, table: int) -> dict[FlowKey, FlowCounts] | None:
        """How often each flow of a table was hit; None when the switch is not there."""
        session = self._session
        if session is None:
            return None
        try:
            return await session.counts(table=table)
        except (Disconnected, Refused) as error:
            self._lose(session, str(error))
            return None

    async def keep_connected(
        self, on_connected: Callable[[], None], on_away: Callable[[str], None]
    ) -> None:
        """Connect, read back, and again when the connection is lost; for ever. `on_away` is told
        why, again and again, while that is impossible."""
        now_s = asyncio.get_running_loop().time
        attempts, lost_s = Attempts(), now_s()
        while True:
            attempts.begin()
            try:
                session = await self._connect(self._socket)
            except (OSError, Disconnected) as error:
                log.debug("no switch", socket=str(self._socket), reason=str(error))
                why = f"the switch does not answer: {error}"
            else:
                try:
                    why = await self._serve(session, on_connected)
                finally:
                    session.close()
            if not why:
                lost_s = now_s()
            elif now_s() - lost_s > away_s_min:
                on_away(why)
            await attempts.pause()

    async def _serve(self, session: OpenFlow, on_connected: Callable[[], None]) -> str:
        """Use the session until it is over; why that was impossible from the beginning, or ""."""
        try:
            drift = await self._read_back(session)
        except (Disconnected, Refused) as error:
            log.warning("the switch can't be read back", reason=str(error))
            return f"the switch can't be read back: {error}"
        self._session = session
        log.info("switch connected", flows=self._tracker.installed_count, differ=drift)
        on_connected()
        self._lose(session, await _over(session))
        return ""

    def close(self) -> None:
        """Leave the switch as it is."""
        if self._session is not None:
            self._session.close()

    def _lose(self, session: OpenFlow, reason: str) -> None:
        session.close()
        if self._session is session:
            self._session = None
            log.warning("switch lost", reason=reason)

    async def _read_back(self, session: OpenFlow) -> int:
        self._meters_there = await session.meters()
        installed = await session.flows()
        drift = self._tracker.believe(installed)
        self._zones.believe(installed)
        if self._complete:
            self._prune()
        return drift

    async def _send(self, session: OpenFlow, more: Iterator[Change]) -> None:
        """Send the bundles, each encoded while the switch works at the one before."""
        while True:
            try:
                under_way: tuple[Batch, Sent] | None = None
                for batch in self._batches(more):
                    prepared = session.prepare(batch.puts, batch.takes)
                    if under_way is not None:
                        await self._commit(session, *under_way)
                    under_way = (batch, session.send(prepared))
                if under_way is not None:
                    await self._commit(session, *under_way)
            except BundleRefused as refused:
                self._quarantine(refused)
                await self._read_back(session)
            else:
                return

    async def _commit(self, session: OpenFlow, batch: Batch, sent: Sent) -> None:
        await session.commit(sent)
        self._metrics.flow_ops.labels("put", "ok").inc(len(batch.puts))
        self._metrics.flow_ops.labels("take", "ok").inc(len(batch.takes))

    def _batches(self, more: Iterator[Change]) -> Iterator[Batch]:
        yield from self._tracker.plan()
        for change in more:
            self.want(change)
            yield from self._tracker.plan()

    async def _empty_zones(self, session: OpenFlow) -> None:
        """Before the flows of who left go, as they say whose the zone was: killed once they are
        gone, nobody would know that it is to be flushed."""
        await session.flush_zones(self._zones.stale(self._complete))

    async def _flush_zones(self, session: OpenFlow) -> None:
        """After the flows of who left, so that nobody commits another connection there."""
        stale = self._zones.stale(self._complete)
        await session.flush_zones(stale)
        self._zones.flushed(self._complete)
        if stale:
            log.info("connections forgotten", zones=stale)

    def _quarantine(self, refused: BundleRefused) -> None:
        if not refused.refused:
            raise Disconnected(f"a bundle was refused for no flow's sake: {refused}")
        reasons = {key: str(error) for key, error in refused.refused.items()}
        for unit, reason in self._tracker.refuse(reasons).items():
            log.error("flow refused", unit=f"{unit.kind.name} {unit.id}", reason=reason)
        self._metrics.flow_ops.labels("put", "refused").inc(len(reasons))

    async def _put_meters(self, session: OpenFlow) -> None:
        """Before the flows that name them."""
        differ = {
            meter_id: meter
            for meter_id, meter in self._meters.items()
            if self._meters_there.get(meter_id) != meter
        }
        if not differ:
            return
        try:
            await session.set_meters(differ)
        except Refused as error:  # its flows will be refused as well, and name their port
            log.error("meter refused", reason=str(error))
        self._meters_there.update(differ)

    async def _take_meters(self, session: OpenFlow) -> None:
        """After the flows that named them, as a meter takes its flows along."""
        if not self._complete:
            return  # a flow that was left over may still name it
        due = (self._meters_due & self._meters_there.keys()) - self._meters.keys()
        for meter_id in sorted(due):
            await session.del_meter(meter_id)
            del self._meters_there[meter_id]
        self._meters_due.clear()


async def _over(session: OpenFlow) -> str:
    """Wait until the session is over, also because nobody answers any more; returns why."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(look_every_s):
                return await session.closed()
        with suppress(Disconnected):
            await session.barrier()
