"""Whether a database takes writes: reads go on when its disk is full, or it is read-only.

What is known is what became of the last write. While writes are refused one is tried now and then
(`Database.try_write`), so that it is also known when they are taken again.
"""

from prometheus_client import Gauge

try_bytes = 1 << 20  # what is tried to be written, and deleted: not what happens to fit yet

writes_refused = Gauge(
    "alcor_database_writes_refused",
    "1 while a database refuses writes: its disk is full, it is read-only, or it is away.",
    ["database"],
)


class Refusing:
    """What became of the last write; any thread may note it."""

    def __init__(self, name: str) -> None:
        self.now = False
        self._told = writes_refused.labels(name)

    def note(self, refused: bool) -> None:
        """A write was refused, or done."""
        if refused is not self.now:
            self.now = refused
            self._told.set(refused)
