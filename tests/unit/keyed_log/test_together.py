"""What is told or asked together is one call; each teller waits until the log has it."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from alcor.keyed_log.log import Change, Entry
from alcor.keyed_log.memory import MemoryLog
from alcor.keyed_log.together import TogetherGet, TogetherPut


class Away(Exception):
    """Nobody answers."""


class SlowLog(MemoryLog):
    """A log whose puts wait until they may go on; one of a key `bad` fails."""

    def __init__(self) -> None:
        super().__init__(1)
        self.puts: list[list[str]] = []
        self.may_go_on = asyncio.Event()

    async def put(self, changes: Sequence[Change]) -> int:
        self.puts.append([change.key for change in changes])
        await self.may_go_on.wait()
        if any(change.key == "bad" for change in changes):
            raise Away
        return await super().put(changes)


def change(key: str, revision: int = 1) -> Change:
    return Change(key, str(revision).encode(), revision)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_is_told_while_a_put_is_under_way_is_the_next_put() -> None:
    async def scene() -> None:
        log = SlowLog()
        told = TogetherPut(log)
        tellers = [asyncio.create_task(told.put([change(key)])) for key in "ab"]
        await turns()
        tellers += [asyncio.create_task(told.put([change(key)])) for key in "cd"]
        await turns()

        assert log.puts == [["a", "b"]]
        assert not any(teller.done() for teller in tellers)
        log.may_go_on.set()
        await asyncio.gather(*tellers)
        assert log.puts == [["a", "b"], ["c", "d"]]
        assert sorted(await log.get("abcd")) == ["a", "b", "c", "d"]

    asyncio.run(scene())


def test_of_a_key_the_newest_is_put() -> None:
    async def scene() -> None:
        log = SlowLog()
        log.may_go_on.set()
        told = TogetherPut(log)

        await asyncio.gather(*(told.put([change("a", revision)]) for revision in (1, 3, 2)))

        assert log.puts == [["a"]]
        assert (await log.get(["a"]))["a"].revision == 3

    asyncio.run(scene())


def test_a_failure_is_told_to_those_whose_put_it_was() -> None:
    async def scene() -> None:
        log = SlowLog()
        told = TogetherPut(log)
        bad = [asyncio.create_task(told.put([change(key)])) for key in ("bad", "b")]
        await turns()
        good = asyncio.create_task(told.put([change("c")]))
        log.may_go_on.set()

        for teller in bad:
            with pytest.raises(Away):
                await teller
        await good
        assert list(await log.get(["bad", "b", "c"])) == ["c"]

    asyncio.run(scene())


def test_who_waits_no_more_takes_nothing_back() -> None:
    async def scene() -> None:
        log = SlowLog()
        told = TogetherPut(log)
        impatient = asyncio.create_task(told.put([change("a")]))
        patient = asyncio.create_task(told.put([change("b")]))
        await turns()
        impatient.cancel()
        log.may_go_on.set()

        await patient
        assert sorted(await log.get("ab")) == ["a", "b"]

    asyncio.run(scene())


def test_who_does_not_wait_is_put_with_those_who_do() -> None:
    async def scene() -> None:
        log = SlowLog()
        told = TogetherPut(log)
        told.add([change("a")])
        waiting = asyncio.create_task(told.put([change("b")]))
        await turns()

        assert log.puts == [["a", "b"]]
        log.may_go_on.set()
        await waiting
        assert sorted(await log.get("ab")) == ["a", "b"]

    asyncio.run(scene())


class AskedLog(MemoryLog):
    """A log that knows what it was asked; of a key `bad` it can't be."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked: list[list[str]] = []

    async def get(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        self.asked.append([*keys])
        if "bad" in keys:
            raise Away
        return await super().get(keys)


def test_what_is_asked_at_the_same_time_is_one_call() -> None:
    async def scene() -> None:
        log = AskedLog()
        await log.put([change("a"), change("b", 2)])
        asked = TogetherGet(log)

        found = await asyncio.gather(*(asked.get(key) for key in ("a", "b", "a", "c")))
        assert [entry and entry.revision for entry in found] == [1, 2, 1, None]
        assert log.asked == [["a", "b", "c"]]

        await log.put([change("a", 3)])
        entry = await asked.get("a")  # is never answered by what was asked before
        assert entry is not None
        assert entry.revision == 3

        impatient = asyncio.create_task(asked.get("a"))
        await asyncio.sleep(0)
        patient = asyncio.create_task(asked.get("b"))
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient) is not None

        with pytest.raises(Away):
            await asked.get("bad")
        assert await asked.get("a") is not None

    asyncio.run(scene())
