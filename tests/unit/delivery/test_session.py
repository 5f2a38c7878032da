"""A session sends snapshots before changes, and never holds more than it may."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.fixtures.frames import next_frame

from alcor.delivery.parcels import Content, Parcel
from alcor.delivery.session import HostSession
from alcor.transport.link import Frame, Hello, Item, Reached, Report

NET = "network/n/"


class Log:
    """A source with one network that every host may have, until it is taken from them."""

    epoch = 1

    def __init__(self) -> None:
        self.position = 0
        self.offered = Reached("life", 0)
        self.held: dict[str, Item] = {}
        self.sessions: list[HostSession] = []
        self.within_reach = True

    def change(self, number: int, value: bytes | None) -> None:
        self.position += 1
        key = f"{NET}neighbour/{number}"
        self.held[key] = Item(key, value, self.position, "")  # each its own revision
        for session in self.sessions:
            session.offer(self.held[key])

    async def content(
        self, name: str, epoch: int, position: int, *, lazy: bool = False, names: bool = True
    ) -> Parcel:
        entries = sorted(self.held.values(), key=lambda item: item.revision)
        if epoch == self.epoch:
            newer = [entry for entry in entries if entry.revision > position]
            return Parcel(Content.RESUMED, newer, name)
        living = [entry for entry in entries if entry.value is not None]
        return Parcel(Content.SNAPSHOT, living, name)

    async def reach(self, host: str, name: str) -> bool:
        return self.within_reach and name == NET

    async def catch_up(self, reached: Reached) -> None: ...

    def follow(self, session: HostSession, name: str) -> None:
        self.sessions.append(session)

    def unfollow(self, session: HostSession, name: str) -> None:
        self.sessions.remove(session)

    async def reported(self, session: HostSession, report: Report) -> None: ...

    async def closed(self, session: HostSession) -> None: ...

    def take(self, session: HostSession, report: Report) -> bool:
        return False


def run(scenario: Callable[[Log, HostSession], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        log = Log()
        session = HostSession(Hello("h1", "", None), log, pending_max=10)
        async with asyncio.timeout(10):
            await scenario(log, session)

    asyncio.run(main())


async def frame(session: HostSession) -> Frame:
    sent = await next_frame(session)
    assert sent is not None
    return sent


def keys(sent: Frame) -> list[str]:
    return [item.key.rpartition("/")[2] for item in sent.items]


def test_a_change_that_comes_with_a_snapshot_is_sent_after_it() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        log.change(1, b"old")
        await session.subscribe(NET, 0, 0)
        log.change(1, None)

        snapshot, change = await frame(session), await frame(session)

        assert (list(snapshot.begins), list(snapshot.completes)) == ([NET], [NET])
        assert snapshot.items[0].value == b"old"
        assert snapshot.position == 0  # the change is not sent yet
        assert change.items[0].value is None
        assert change.position == 2

    run(scenario)


def test_a_key_that_changes_often_is_sent_once() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        await session.subscribe(NET, 0, 0)
        await frame(session)
        for value in range(100):
            log.change(1, b"%d" % value)
        log.change(2, b"x")

        sent = await frame(session)

        assert keys(sent) == ["1", "2"]
        assert sent.items[0].value == b"99"
        assert sent.position == 101

    run(scenario)


def test_a_host_that_is_too_far_behind_is_sent_snapshots() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        await session.subscribe(NET, 0, 0)
        await frame(session)
        for number in range(30):
            log.change(number, b"x")
        assert session.queued <= 10

        again = await frame(session)

        assert list(again.begins) == list(again.completes) == [NET]
        assert len(again.items) == 30

    run(scenario)


def test_a_host_resumes_from_the_position_it_names() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        log.change(1, b"held")
        log.change(2, b"missed")
        await session.subscribe(NET, 1, 1)

        sent = await frame(session)

        assert (list(sent.begins), list(sent.resumes)) == ([], [NET])
        assert keys(sent) == ["2"]

    run(scenario)


def test_nothing_more_is_sent_of_a_slice_that_is_not_wanted() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        await session.subscribe(NET, 0, 0)
        await frame(session)
        log.change(1, b"x")
        session.unsubscribe(NET)
        log.change(2, b"x")

        assert session.queued == 0

    run(scenario)


def test_a_slice_out_of_reach_is_withdrawn() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        await session.subscribe(NET, 0, 0)
        await frame(session)
        log.within_reach = False
        await session.revise()
        log.change(1, b"secret")

        sent = await frame(session)

        assert (list(sent.refused), keys(sent)) == ([NET], [])

    run(scenario)


def test_a_refusal_that_was_not_told_is_taken_back_when_the_slice_is_sent_after_all() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        log.within_reach = False
        await session.subscribe(NET, 0, 0)
        log.within_reach = True
        await session.subscribe(NET, 0, 0)

        sent = await frame(session)

        assert (list(sent.refused), list(sent.completes)) == ([], [NET])

    run(scenario)


def test_a_session_that_ends_sends_nothing_more() -> None:
    async def scenario(log: Log, session: HostSession) -> None:
        await session.subscribe(NET, 0, 0)
        await session.close()

        assert await next_frame(session) is None
        assert log.sessions == []

    run(scenario)
