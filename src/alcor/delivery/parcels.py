"""What is on its way to one host, cut into frames of bounded size.

Pure. A parcel is the content of a slice (a snapshot, or what changed since a position), or the
live changes of everything subscribed up to a position. Parcels leave in order, one or several a
frame; a frame's position says what is complete before it, so it moves only when a parcel of live
changes ends, or when nothing is left.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from alcor.transport.link import NOTHING, Frame, Item, Reached

items_per_frame_max = 1_000
bytes_per_frame_max = 256 * 1_024  # an entry may go beyond by its own size


class Content(Enum):
    """What the entries of a parcel are."""

    SNAPSHOT = auto()  # the whole slice
    RESUMED = auto()  # what changed in the slice since the position that the host named
    LIVE = auto()  # changes of everything subscribed


@dataclass(slots=True)
class Parcel:
    """Some entries that belong together; `taken` of them have left."""

    content: Content
    items: Sequence[Item]
    name: str = ""  # of the slice
    position: int = 0  # of LIVE: everything subscribed, up to here, has been sent at its end
    reached: Reached = NOTHING  # of LIVE: what that position is to all deliveries
    taken: int = 0


class Parcels:
    """The queue of one host."""

    def __init__(self) -> None:
        self.position = 0  # everything subscribed, up to here, has been sent
        self.reached = Reached()
        self._queue: deque[Parcel] = deque()

    def __bool__(self) -> bool:
        return bool(self._queue)

    def __len__(self) -> int:
        """Entries that have not left."""
        return sum(len(parcel.items) - parcel.taken for parcel in self._queue)

    def add(self, parcel: Parcel) -> None:
        """Send this after what is queued."""
        self._queue.append(parcel)

    def drop_slice(self, name: str) -> None:
        """Send no more of a slice's content."""
        self._queue = deque(parcel for parcel in self._queue if parcel.name != name)

    def clear(self) -> None:
        """Send nothing of what is queued."""
        self._queue.clear()

    def frame(
        self, epoch: int, position: int, reached: Reached, refused: Sequence[str] = ()
    ) -> Frame:
        """The next frame; `position`, and `reached`, hold once everything queued has been sent."""
        items: list[Item] = []
        begins: list[str] = []
        completes: list[str] = []
        resumes: list[str] = []
        size = 0
        while self._queue and len(items) < items_per_frame_max and size < bytes_per_frame_max:
            parcel = self._queue[0]
            if parcel.content is Content.SNAPSHOT and not parcel.taken:
                begins.append(parcel.name)
            size += _fill(items, parcel, size)
            if parcel.taken < len(parcel.items):
                break
            if parcel.content is Content.SNAPSHOT:
                completes.append(parcel.name)
            elif parcel.content is Content.RESUMED:
                resumes.append(parcel.name)
            self._move(parcel.position, parcel.reached)
            self._queue.popleft()
        if not self._queue:
            self._move(position, reached)
        return Frame(
            epoch=epoch,
            position=self.position,
            items=items,
            begins=begins,
            completes=completes,
            resumes=resumes,
            refused=refused,
            reached=self.reached,
        )

    def _move(self, position: int, reached: Reached) -> None:
        if position and position >= self.position:
            self.position, self.reached = position, reached


def _fill(items: list[Item], parcel: Parcel, size: int) -> int:
    """Move entries from the parcel into the frame until it is full; the bytes moved."""
    before, start = size, parcel.taken
    end = min(len(parcel.items), start + items_per_frame_max - len(items))
    while parcel.taken < end and size < bytes_per_frame_max:
        item = parcel.items[parcel.taken]
        size += len(item[0]) + len(item[1] or b"")
        parcel.taken += 1
    items += parcel.items[start : parcel.taken]
    return size - before
