"""Everybody is sent what there is in turn, before anything that has come is heard."""

import asyncio
from collections.abc import Callable
from itertools import count

from alcor.transport import outbox
from alcor.transport.outbox import Outbox


class Sent:
    """A recipient that has so many frames to be sent, and notes when."""

    def __init__(self, to: Outbox, notes: list[str], name: str, frames: int = 1) -> None:
        self._to, self._notes, self._name, self._frames = to, notes, name, frames
        self.has_all = asyncio.Event()

    async def send_frame(self) -> None:
        self._notes.append(self._name)
        self._frames -= 1
        if self._frames:
            self._to.add(self)
        else:
            self.has_all.set()


def play(scenario: Callable[[Outbox, list[str]], "asyncio.Future[None]"]) -> list[str]:
    notes: list[str] = []

    async def main() -> None:
        to = Outbox()
        sending = asyncio.ensure_future(to.run())
        await scenario(to, notes)
        sending.cancel()

    asyncio.run(main())
    return notes


def test_who_has_more_to_be_sent_waits_for_the_others_turn() -> None:
    async def scenario(to: Outbox, notes: list[str]) -> None:
        everybody = [Sent(to, notes, *each) for each in (("a", 3), ("b", 1), ("c", 2))]
        for each in everybody:
            to.add(each)
        for each in everybody:
            await each.has_all.wait()

    assert play(lambda to, notes: asyncio.ensure_future(scenario(to, notes))) == [*"abcaca"]


def test_others_run_while_many_are_sent_to_but_hear_nothing_before_the_last() -> None:
    """More than a turn holds: every look at the clock is half a turn later."""

    async def scenario(to: Outbox, notes: list[str]) -> None:
        looks = count()
        loop = asyncio.get_running_loop()
        loop.time = lambda: next(looks) * outbox.turn_s_max / 2  # type: ignore[method-assign]
        for _ in range(9):
            to.add(Sent(to, notes, "sent"))

        async def hear() -> None:
            await to.idle.wait()
            notes.append("heard")

        async def other() -> None:
            for _ in range(9):
                notes.append("other")
                await asyncio.sleep(0)

        await asyncio.sleep(0)  # sending begins
        await asyncio.gather(hear(), other())

    notes = play(lambda to, notes: asyncio.ensure_future(scenario(to, notes)))
    assert "other" in notes[notes.index("sent") : notes.index("heard")]
    assert notes.index("heard") > max(n for n, note in enumerate(notes) if note == "sent")
