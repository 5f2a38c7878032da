"""The delivery in a process of its own, forked before anything runs.

It holds nothing that can't be had again, and never outlives its parent: it ends when the parent
hangs up, and the kernel kills it when the parent dies.
"""

import asyncio
import ctypes
import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import uvloop
from prometheus_client import REGISTRY, generate_latest

from alcor.assembly.delivery_peer import (
    DeliveryPeer,
    Exposition,
    Nothing,
    Ready,
    Start,
    Started,
)
from alcor.contracts.convergence import ConvergencePeer
from alcor.contracts.traces import TracePeer
from alcor.delivery.config import DeliveryConfig
from alcor.keyed_log.remote import RemoteLog
from alcor.runtime.calls.rpc import answers
from alcor.runtime.calls.wire import Wire
from alcor.runtime.config import ConfigError
from alcor.runtime.memory import settle_memory
from alcor.runtime.observability import logs
from alcor.runtime.observability.otlp import TraceSettings, traced
from alcor.runtime.signals import ends
from alcor.runtime.tasks import TaskFailed

if TYPE_CHECKING:
    from alcor.delivery.app import Delivery

niceness = 5  # who answers clients goes first when processors are short
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Child(NamedTuple):
    """The forked process, and the way to it."""

    pid: int
    way: socket.socket

    def end(self) -> None:
        """End it, and wait until it is gone."""
        self.way.close()
        os.kill(self.pid, signal.SIGKILL)  # it holds nothing that it has not told
        os.waitpid(self.pid, 0)


def fork(config: DeliveryConfig, traces: TraceSettings) -> Child:
    """Fork the delivery; call it before there is a thread or an event loop."""
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        theirs.close()
        return Child(pid, ours)
    status = 1
    try:
        ours.close()
        _die_with(parent)
        with (
            traced(traces, "alcor-delivery", os.environ),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            status = runner.run(_serve(theirs, config))
    finally:
        os._exit(status)  # what the parent would do at its end is not ours to do


def _die_with(parent: int) -> None:
    """Be killed when the parent dies; leave it to the parent to stop in good order."""
    os.nice(niceness)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it was gone before we asked
    for number in ends():
        signal.signal(number, signal.SIG_IGN)


async def _serve(way: socket.socket, config: DeliveryConfig) -> int:
    """Do what the parent asks until it hangs up or the delivery fails; the exit status."""
    wire = Wire({})
    serving = _Serving(wire, config)
    wire.calls |= answers(DeliveryPeer, serving)
    logs.listen()
    settle_memory()
    await asyncio.get_running_loop().create_connection(lambda: wire, sock=way)
    gone = asyncio.ensure_future(wire.gone())
    failed = asyncio.ensure_future(serving.failure())
    await asyncio.wait([gone, failed], return_when=asyncio.FIRST_COMPLETED)
    return 0 if gone.done() else 1


class _Serving:
    """Keeps `DeliveryPeer`."""

    def __init__(self, wire: Wire, config: DeliveryConfig) -> None:
        from alcor.delivery import app  # here, so that the parent never loads gRPC

        self._app = app
        self._wire = wire
        self._config = config
        self._begun: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()

    async def start(self, request: Start) -> Started:
        intent = RemoteLog(self._wire, "intent", request.epoch)
        try:
            delivery = await self._app.start(
                self._config,
                epoch=request.epoch,
                intent=intent,
                reports=RemoteLog(self._wire, "reports", request.epoch),
                managers=request.managers,
            )
        except ConfigError as error:
            return Started(problem=str(error))
        self._wire.calls |= answers(ConvergencePeer, delivery.convergence)
        self._wire.calls |= answers(TracePeer, delivery.traces)
        self._begun.set_result(delivery)
        return Started(delivery.port)

    async def ready(self, request: Nothing) -> Ready:
        return Ready(await self._begun.result().ready())

    async def metrics(self, request: Nothing) -> Exposition:
        return Exposition(generate_latest(REGISTRY).decode())

    async def stop(self, request: Nothing) -> Nothing:
        await self._begun.result().stop()
        return Nothing()

    async def failure(self) -> None:
        """Return when the delivery has failed; its log says why."""
        delivery = await self._begun
        with suppress(TaskFailed):
            await delivery.failure()
