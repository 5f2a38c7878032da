"""One reading of a log's stream: what its messages say, from the first to the last.

Pure: no await, no I/O. A later reading that `continues` an earlier one shows that the stream has
lost nothing of what was read.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import structlog

from alcor.keyed_log.held import Held
from alcor.keyed_log.log import Change, Entry
from alcor.keyed_log.stream_copy import Message
from alcor.keyed_log.subjects import key_of

_log = structlog.get_logger(__name__)


class Body(msgspec.Struct, frozen=True, array_like=True):
    """What a message says beside its subject."""

    revision: int
    value: bytes | None
    trace: str = ""


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Body).decode


class Subjects(NamedTuple):
    """Those of a log's messages that are of no key."""

    prefix: str

    @property
    def forgotten(self) -> str:
        """Up to where tombstones were dropped."""
        return f"{self.prefix}.forgotten"

    @property
    def complete(self) -> str:
        """Under it: what each writer has said."""
        return f"{self.prefix}.complete"

    @property
    def anew(self) -> str:
        """The log's last new beginning."""
        return f"{self.prefix}.anew"

    @property
    def mark(self) -> str:
        """Somebody reads the stream and must get as far as this."""
        return f"{self.prefix}.mark"


class Beginning(NamedTuple):
    """A new beginning of a log, which somebody asked for; `number` is greater than any before."""

    number: int = 0
    position: int = 0


class Said(NamedTuple):
    """That the log holds all that a writer has, up to its revision `last`."""

    life: bytes | None
    last: int
    position: int


class Reading:
    """What has been read of the stream."""

    def __init__(self, prefix: str, watcher_pending_max: int) -> None:
        self.held = Held(watcher_pending_max)
        self.said: dict[str, Said] = {}  # by writer
        self.begun = Beginning()
        self._subjects = Subjects(prefix)

    def take(self, messages: Sequence[Message]) -> list[Entry]:
        """Read on; what is new of keys."""
        taken = []
        subjects, held = self._subjects, self.held
        for subject, sequence, data in messages:
            try:
                body = decode(data)
            except msgspec.DecodeError as error:
                _log.error("log.unreadable", subject=subject, error=str(error))
                continue
            if subject == subjects.forgotten:
                held.forget(body.revision)
            elif subject == subjects.anew:
                self.begun = Beginning(body.revision, sequence)
            elif subject.startswith(subjects.complete):
                writer = subject.rpartition(".")[2]
                self.said[writer] = Said(body.value, body.revision, sequence)
            elif subject != subjects.mark:
                key = key_of(subjects.prefix, subject)
                change = Change(key, body.value, body.revision, body.trace)
                taken.append(held.take(change, sequence))
            held.position = sequence
        return taken

    def continues(self, earlier: "Reading") -> bool:
        """Whether all that the earlier reading has seen is here, or what came in its place."""
        until, forgotten = earlier.held.position, self.held.forgotten
        if self.begun != earlier.begun or self.held.position < until:
            return False
        for writer, said in earlier.said.items():
            now = self.said.get(writer)
            if now is None or (now != said and now.position <= until):
                return False
        for entry in self.held:
            if entry.position <= until and entry != earlier.held.get(entry.key):
                return False
        return all(
            self.held.get(entry.key) is not None
            or (entry.value is None and entry.position <= forgotten)
            for entry in earlier.held
        )
