"""The delivery in a forked child, as its parent sees it: like `delivery.app.Delivery`."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from alcor.assembly.delivery_child import Child
from alcor.assembly.delivery_peer import DeliveryPeer, Nothing, Start
from alcor.contracts.convergence import ConvergencePeer
from alcor.contracts.traces import TracePeer
from alcor.keyed_log.log import KeyedLog
from alcor.keyed_log.remote import Keeper
from alcor.runtime.calls.rpc import far_peer
from alcor.runtime.calls.wire import Gone, Wire
from alcor.runtime.config import ConfigError
from alcor.runtime.tasks import TaskFailed

ready_s_max = 2.0  # a child that has not answered by then is not ready
stop_s_max = 10.0  # to hang up on hosts; then it is killed
answer_s_max = 20.0  # of a child that lives, however busy
unanswered_max = 3  # asks in a row: one alone is also lost when both were stopped for a while

_log = structlog.get_logger("alcor.up")


class FarDelivery:
    """The running delivery. Whoever started it watches `failure` and calls `stop`."""

    def __init__(
        self, wire: Wire, keepers: tuple[Keeper, ...], answer_s_max: float = answer_s_max
    ) -> None:
        self.port = 0  # that hosts are served on, once started
        self.convergence = far_peer(ConvergencePeer, wire)
        self.traces = far_peer(TracePeer, wire)
        self._wire = wire
        self._peer = far_peer(DeliveryPeer, wire)
        self._keepers = keepers
        self._answer_s_max = answer_s_max

    async def listen(self, how: Start) -> None:
        """Listen for hosts; `ConfigError` when that is impossible."""
        started = await self._peer.start(how)
        if started.problem:
            raise ConfigError(started.problem)
        self.port = started.port

    async def ready(self) -> bool:
        """Whether all intent has been planned once, so that hosts get snapshots."""
        try:
            async with asyncio.timeout(ready_s_max):
                return (await self._peer.ready(Nothing())).ready
        except (TimeoutError, Gone):
            return False

    async def metrics(self) -> str:
        """What the child counts, in Prometheus' text format; nothing when it is gone."""
        try:
            async with asyncio.timeout(ready_s_max):
                return (await self._peer.metrics(Nothing())).text
        except (TimeoutError, Gone):
            return ""

    async def failure(self) -> None:
        """Wait for ever; raise `TaskFailed` when the child has ended, or hangs."""
        unanswered = 0
        while unanswered < unanswered_max:
            if not await self._answers():
                unanswered += 1
                continue
            unanswered = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(self._answer_s_max):  # until it is asked again
                    await self._wire.gone()
                    raise TaskFailed("delivery")
        _log.error("delivery.hangs", silent_s=unanswered_max * self._answer_s_max)
        raise TaskFailed("delivery")

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self._answer_s_max):
                await self._peer.ready(Nothing())
        except TimeoutError:
            return False
        except Gone:
            pass  # it has ended, or says that it failed at this
        return True

    async def stop(self) -> None:
        """Hang up on hosts; they keep what they have."""
        with suppress(Gone, TimeoutError):
            async with asyncio.timeout(stop_s_max):
                await self._peer.stop(Nothing())
        self._wire.close()
        for keeper in self._keepers:
            await keeper.close()


async def start(
    child: Child, *, epoch: int, intent: KeyedLog, reports: KeyedLog, managers: Sequence[str]
) -> FarDelivery:
    """As `delivery.app.start`, in the child."""
    keepers = (Keeper(intent, "intent"), Keeper(reports, "reports"))
    wire = Wire(keepers[0].calls | keepers[1].calls)
    await asyncio.get_running_loop().create_connection(lambda: wire, sock=child.way)
    delivery = FarDelivery(wire, keepers)
    await delivery.listen(Start(epoch, list(managers)))
    return delivery
