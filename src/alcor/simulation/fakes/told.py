"""What the streams of a simulated region were told: for whoever checks."""

import msgspec

from alcor.keyed_log.log import Entry
from alcor.keyed_log.stream_reading import Body
from alcor.keyed_log.subjects import key_of
from alcor.simulation.fakes.broker import Stored, Stream
from alcor.simulation.fakes.journal import Journal

INTENT = "alcor_intent"
_NOT_KEYS = ("forgotten", "complete.")
_decode = msgspec.msgpack.Decoder(Body).decode


class Told:
    """Watches what is put in streams."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def put(self, stream: Stream, before: Stored | None, after: Stored) -> None:
        """A message takes the place of one before it: what is wanted never becomes older.

        Of reports that is not said: after a power cut a stream gives its sequences again, and a
        delivery that has not noticed yet may replace what another one has told.
        """
        name = after.subject.removeprefix(stream.prefix)
        self._journal.note("stream.put", stream=stream.name, key=name, seq=after.seq)
        if stream.name != INTENT or name.startswith(_NOT_KEYS) or before is None:
            return
        old, new = _decode(before.data or b"").revision, _decode(after.data or b"").revision
        if new < old:
            self._journal.violation("revisions of a log grow", key=name, old=old, new=new)

    @staticmethod
    def records(stream: Stream) -> dict[str, Entry]:
        """What is living in a stream, by key."""
        found = {}
        for stored in stream.by_sequence.values():
            name = stored.subject.removeprefix(stream.prefix)
            if name.startswith(_NOT_KEYS):
                continue
            body = _decode(stored.data or b"")
            if body.value is not None:
                key = key_of(stream.prefix.removesuffix("."), stored.subject)
                found[key] = Entry(key, body.value, body.revision, body.trace, stored.seq)
        return found
