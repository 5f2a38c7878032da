"""Follow the intent log: a read model gets a snapshot, then every change after it, for ever.

Whoever follows may have held something before (a table on its disk). A snapshot replaces it, and
is handed over only when every manager has published what it holds (`rebuilt`): until then what
is missing from the log may only not have been told yet, and missing is never gone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from alcor.intent import records
from alcor.intent.records import Record
from alcor.keyed_log.log import Compacted, Entry, KeyedLog, Slow
from alcor.values.errors import Unavailable

again_s = 1.0  # after a failure to save what was heard, until all of it is read anew

_log = structlog.get_logger(__name__)

Ready = Callable[[], Awaitable[object]]
Take = Callable[[Sequence[Entry]], Awaitable[None]]


async def follow(log: KeyedLog, kind: str, rebuilt: Ready, replace: Take, apply: Take) -> None:
    """Hand over the records of `kind`: all of them (`replace`), then changes (`apply`)."""
    await follow_prefix(log, records.key(kind, ""), replace, apply, rebuilt)


async def follow_prefix(
    log: KeyedLog, prefix: str, replace: Take, apply: Take, ready: Ready | None = None
) -> None:
    """Hand over what is under a prefix of any log: all of it, then changes, for ever."""
    while True:
        try:
            if ready is not None:
                await ready()  # also in every later life of the log
            snapshot = await log.snapshot(prefix)
            await replace(snapshot.entries)
            async for entries in log.watch(prefix, snapshot.position):
                await apply(entries)
        except (Compacted, Slow):
            continue  # We were left behind: begin again with a snapshot.
        except Unavailable as away:
            _log.warning("not_followed", prefix=prefix, reason=away.message)
            await asyncio.sleep(again_s)


def id_of(entry: Entry) -> str:
    """The id of the resource that an entry is about."""
    return entry.key.partition("/")[2]


def record_of(entry: Entry) -> Record | None:
    """The record of an entry; None when it is gone."""
    return None if entry.value is None else records.decode(entry.key, entry.value)


class ReadModel:
    """The records of one kind, in memory: as good as the last change heard.

    A miss proves nothing: ask the owner before refusing.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._record_by_id: dict[str, Record] = {}

    def get(self, id_: str) -> Record | None:
        """What is known of the id."""
        return self._record_by_id.get(id_)

    async def run(self, log: KeyedLog, rebuilt: Ready) -> None:
        """Follow the log for ever."""
        await follow(log, self._kind, rebuilt, self._replace, self._apply)

    async def _replace(self, entries: Sequence[Entry]) -> None:
        self._record_by_id = {id_of(e): r for e in entries if (r := record_of(e)) is not None}

    async def _apply(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            record = record_of(entry)
            if record is None:
                self._record_by_id.pop(id_of(entry), None)
            else:
                self._record_by_id[id_of(entry)] = record
