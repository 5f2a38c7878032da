"""Following the log: nothing is believed gone before everything has been told."""

import asyncio

from alcor.intent import records
from alcor.intent.follow import ReadModel
from alcor.intent.records import NodeRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog

within_s = 5


def change(host: str, revision: int, tunnel_ip: str = "192.0.2.1") -> Change:
    value = records.encode(NodeRecord(id=host, tunnel_ip=tunnel_ip))
    return Change(records.key("node", host), value, revision)


async def until(holds: object) -> None:
    assert callable(holds)
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - a read model tells nobody when it has changed
            await asyncio.sleep(0)


def test_a_read_model_waits_for_the_log_and_then_keeps_up() -> None:
    async def main() -> None:
        log, rebuilt, model = MemoryLog(1), asyncio.Event(), ReadModel("node")
        running = asyncio.ensure_future(model.run(log, rebuilt.wait))
        await log.put([change("h1", 1)])
        await asyncio.sleep(0)
        assert model.get("h1") is None

        rebuilt.set()
        await until(lambda: model.get("h1") is not None)
        await log.put([change("h2", 2), Change(records.key("node", "h1"), None, 3)])
        await until(lambda: model.get("h2") is not None)
        assert model.get("h1") is None
        running.cancel()

    asyncio.run(main())


def test_a_model_that_was_left_behind_begins_again_and_holds_what_is() -> None:
    async def main() -> None:
        log, model = MemoryLog(1, watcher_pending_max=2), ReadModel("node")
        rebuilt = asyncio.Event()
        rebuilt.set()
        running = asyncio.ensure_future(model.run(log, rebuilt.wait))
        await log.put([change("h0", 1)])
        await until(lambda: model.get("h0") is not None)
        await log.put([change(f"h{i}", 1 + i) for i in range(1, 10)])
        await until(lambda: model.get("h9") is not None)
        assert all(model.get(f"h{i}") for i in range(10))
        running.cancel()

    asyncio.run(main())
