"""The delivery's process is given up when it hangs, and not for one answer that was late."""

import asyncio
import socket

import pytest
from structlog.testing import capture_logs

from alcor.assembly.delivery_peer import DeliveryPeer, Exposition, Nothing, Ready, Start, Started
from alcor.assembly.far_delivery import FarDelivery, unanswered_max
from alcor.runtime.calls.rpc import answers
from alcor.runtime.calls.wire import Wire
from alcor.runtime.tasks import TaskFailed

at_once_s = 0.02  # is too short for one that answers on a busy machine
soon_s = 0.2


class Child:
    """Leaves the first asks without an answer, or all of them."""

    def __init__(self, unanswered: int | None) -> None:
        self.unanswered = unanswered
        self.asked = 0
        self.asked_often = asyncio.Event()

    async def ready(self, request: Nothing) -> Ready:
        self.asked += 1
        if self.asked == unanswered_max + 2:
            self.asked_often.set()
        if self.unanswered is None or self.asked <= self.unanswered:
            await asyncio.Event().wait()
        return Ready(False)  # that it waits for something is no reason to end it

    async def start(self, request: Start) -> Started:
        return Started()

    async def metrics(self, request: Nothing) -> Exposition:
        return Exposition("")

    async def stop(self, request: Nothing) -> Nothing:
        return request


async def connected(child: Child, answer_s_max: float) -> tuple[FarDelivery, Wire]:
    ours, theirs = Wire({}), Wire(answers(DeliveryPeer, child))
    loop = asyncio.get_running_loop()
    for wire, end in zip((ours, theirs), socket.socketpair(), strict=True):
        await loop.create_connection(lambda wire=wire: wire, sock=end)  # type: ignore[misc]
    return FarDelivery(ours, (), answer_s_max), theirs


def test_who_never_answers_hangs() -> None:
    async def main() -> None:
        child = Child(unanswered=None)
        delivery, theirs = await connected(child, at_once_s)
        async with asyncio.timeout(20):
            with capture_logs() as said, pytest.raises(TaskFailed):
                await delivery.failure()
        assert child.asked == unanswered_max
        assert [line["event"] for line in said] == ["delivery.hangs"]
        theirs.close()
        await delivery.stop()

    asyncio.run(main())


def test_who_answers_again_goes_on_until_it_ends() -> None:
    async def main() -> None:
        child = Child(unanswered=unanswered_max - 1)
        delivery, theirs = await connected(child, soon_s)
        failure = asyncio.ensure_future(delivery.failure())
        async with asyncio.timeout(20):
            await child.asked_often.wait()
            assert not failure.done()
            theirs.close()
            with pytest.raises(TaskFailed):
                await failure

    asyncio.run(main())
