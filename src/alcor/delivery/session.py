"""One connected host: what it subscribes to, and what it must still be sent.

Live changes wait in a map by key, so a host that reads slowly costs at most one entry a key, and
when even that is too much it is sent snapshots instead. Nothing is built before it can be sent.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

import structlog

from alcor.delivery import metrics
from alcor.delivery.hosts import TERM_BITS
from alcor.delivery.parcels import Content, Parcel, Parcels
from alcor.delivery.traced import Underway
from alcor.goal_state.reports import PortReport
from alcor.keyed_log.log import Change, Entry
from alcor.transport.link import Forbidden, Frame, Hello, Item, Reached, Report

_log = structlog.get_logger(__name__)

slices_per_host_max = 20_000
pending_per_host_max = 50_000  # entries; beyond it the host is sent snapshots
unacknowledged_max = 1_000  # frames of which we remember how much they held

_TERMS_SINCE_S = 1_577_836_800  # 2020: revisions have 63 bits


class Source(Protocol):
    """What a session needs of the feed."""

    @property
    def epoch(self) -> int: ...

    @property
    def position(self) -> int:
        """Of the goal log: sessions have been offered everything up to here."""
        ...

    @property
    def offered(self) -> Reached:
        """What that position is to all deliveries."""
        ...

    async def content(
        self, name: str, epoch: int, position: int, *, lazy: bool = False, names: bool = True
    ) -> Parcel:
        """The content of a slice, for a host that holds it up to (epoch, position).

        Of a network that is held lazily, if the host can.
        """
        ...

    async def reach(self, host: str, name: str) -> bool:
        """Whether a host may have a slice, once that is known."""
        ...

    async def catch_up(self, reached: Reached) -> None:
        """Wait until as much is known here; `Behind` when that takes too long."""
        ...

    def follow(self, session: "HostSession", name: str) -> None:
        """Offer changes of a slice to the session from now on."""
        ...

    def unfollow(self, session: "HostSession", name: str) -> None: ...

    async def reported(self, session: "HostSession", report: Report) -> None: ...

    def take(self, session: "HostSession", report: Report) -> bool: ...

    async def closed(self, session: "HostSession") -> None: ...


class _Sent(NamedTuple):
    """A frame that the host has not acknowledged."""

    position: int
    reached: Reached


def _nobody_waits() -> None:
    """Whoever comes to send looks by itself first."""


class HostSession:
    """The delivery's end of one host's connection (`transport.link.Session`)."""

    def __init__(
        self, hello: Hello, source: Source, *, pending_max: int = pending_per_host_max
    ) -> None:
        self.hello = hello
        endpoint = hello.tunnel_endpoint
        self.tunnel_ip = str(endpoint) if endpoint is not None else ""
        self.slices: dict[str, None] = {}
        self.last_report = Report(0, 0)
        self.port_reports: dict[str, PortReport] = {}  # what was told last of each of its ports
        self.told: Change | None = None  # to the report log, last, of the host itself
        self.told_report = Report(0, 0)  # the same, as the host said it
        self.logged: Entry | None = None  # what that was heard to hold of it
        self.repeats = 0  # how often the host has said the same again
        self.term = 0  # of all connections of this host, at whichever delivery, which one this is
        self._told = 0  # how often the report log was told something in this term
        self._reached = Reached()  # acknowledged
        self._sent: deque[_Sent] = deque(maxlen=unacknowledged_max)
        self._sent_position = source.position
        self._traced = Underway()
        self._source = source
        self._pending_max = pending_max
        self._pending: dict[str, Item] = {}  # live changes, in order of position
        self._parcels = Parcels()
        self._refused: dict[str, None] = {}
        self._behind = False  # it was offered more than it may keep: send snapshots
        self._whole: set[str] = set()  # networks that became lazy, and that it holds as a whole yet
        self._has_moved = False  # there is nothing to send but the position
        self._has_caught_up = False  # the source knows as much as the host does
        self._over = False
        self._tell: Callable[[], None] = _nobody_waits

    @property
    def host(self) -> str:
        return self.hello.host

    @property
    def queued(self) -> int:
        """Entries that wait to be sent."""
        return len(self._pending) + len(self._parcels)

    @property
    def is_over(self) -> bool:
        return self._over

    @property
    def is_ready(self) -> bool:
        """Whether there is something to send now."""
        return bool(self._refused) or self._is_under_way

    @property
    def _is_under_way(self) -> bool:
        """Whether it has not been sent all there is of its slices."""
        return bool(self._pending or self._parcels or self._behind or self._has_moved)

    def follows(self, kind: str) -> bool:
        """Whether it is sent a slice of this kind."""
        return any(name.startswith(f"{kind}/") for name in self.slices)

    async def subscribe(self, name: str, epoch: int, position: int) -> None:
        """Send the slice: what is newer than (epoch, position), or its snapshot."""
        if not self._has_caught_up:
            await self._source.catch_up(self.hello.reached)
            self._has_caught_up = True
        if not await self._source.reach(self.host, name):
            self._refuse(name)
            return
        if len(self.slices) >= slices_per_host_max:
            metrics.limit_reached.labels("slices_per_host").inc()
            raise Forbidden(f"{self.host} subscribes to more than {slices_per_host_max} slices")
        self.slices[name] = None
        self._refused.pop(name, None)  # of before, and not told yet
        self._source.follow(self, name)  # before its content is read, so that nothing is lost
        await self._add(name, epoch, position)

    async def refresh(self, name: str) -> None:
        """Send a snapshot of a slice that it is subscribed to, of which it was sent only a part."""
        if name in self.slices:
            await self._add(name, 0, 0)

    def is_told_all(self, name: str) -> bool:
        """Whether it is told of all changes of a network's slice, that may be held lazily."""
        return name in self._whole or not self.hello.lazy

    def become_lazy(self, name: str) -> None:
        """A network becomes one that is held lazily: it is told of all changes until it subscribes
        anew, which it does once it has looked for what it uses."""
        if name in self.slices:
            self._whole.add(name)

    async def _add(self, name: str, epoch: int, position: int) -> None:
        self._parcels.drop_slice(name)
        if name in self._whole:
            self._whole.discard(name)
            self._drop_pending(name)  # its content says it all
        lazy, names = self.hello.lazy, self.hello.names
        content = self._source.content(name, epoch, position, lazy=lazy, names=names)
        self._parcels.add(await content)
        self._tell()

    def move_on(self) -> None:
        """A subscribed slice has changed, but not for this host: it is told how far it is."""
        self._has_moved = True
        self._tell()

    def unsubscribe(self, name: str) -> None:
        """Send nothing more of the slice."""
        if name in self.slices:
            del self.slices[name]
            self._source.unfollow(self, name)
            self._parcels.drop_slice(name)
            self._whole.discard(name)
            self._drop_pending(name)

    def _drop_pending(self, name: str) -> None:
        for key in [key for key in self._pending if key.startswith(name)]:
            del self._pending[key]

    async def report(self, report: Report) -> None:
        """Take how far the host is."""
        await self._source.reported(self, report)

    def take(self, report: Report) -> bool:
        """Take at once how far the host is, unless it says more, or that is too early."""
        return self._source.take(self, report)

    def next_revision(self) -> int:
        """Of what the report log is told next. It beats what earlier connections said; odd numbers
        are left to who says that something is gone."""
        self._told += 2
        return self.term << TERM_BITS | self._told

    def is_before(self, revision: int) -> bool:
        """Whether something of that revision was told in a later term."""
        return revision >> TERM_BITS > self.term

    def begin_after(self, revision: int, now_s: float) -> None:
        """Begin a term that beats whoever told `revision`, and terms that began before now."""
        self.term = max((revision >> TERM_BITS) + 1, int(now_s) - _TERMS_SINCE_S)
        self._told = 0

    def reached(self, report: Report) -> Reached:
        """What a report of this life says, in terms that all deliveries share."""
        if report.epoch != self._source.epoch:
            return Reached()
        self._traced.arrived(self.host, report.position)
        while self._sent and self._sent[0].position <= report.position:
            self._reached = self._sent.popleft().reached
        if report.position >= self._sent_position and not self._is_under_way:
            self._reached = self._source.offered  # it has all there is
        is_of_this_life = self._reached.life == self._source.offered.life
        return self._reached if is_of_this_life else Reached()

    @property
    def is_overruled(self) -> bool:
        """Whether others told the report log something else of the host since we did."""
        told, logged = self.told, self.logged
        if told is None or logged is None or logged.revision < told.revision:
            return False
        return logged.value != told.value

    async def frame(self) -> Frame | None:
        """What there is to send now; None when that is nothing."""
        if self._behind:
            await self._begin_again()
        if self._pending and not self._parcels:
            self._pack()
        return self._frame() if self.is_ready else None

    def call(self, tell: Callable[[], None]) -> None:
        """Call this whenever there may be something to send, or the session is over: now, too."""
        self._tell = tell
        tell()

    async def close(self) -> None:
        """The host is gone."""
        self.end()
        for name in list(self.slices):
            self.unsubscribe(name)
        await self._source.closed(self)

    def end(self) -> None:
        """Let the transport hang up."""
        self._over = True
        self._tell()

    def offer(self, item: Item) -> None:
        """A subscribed slice has changed."""
        self._pending.pop(item.key, None)
        self._pending[item.key] = item
        if len(self._pending) > self._pending_max:
            metrics.limit_reached.labels("pending_per_host").inc()
            self.begin_again()
        self._tell()

    def begin_again(self) -> None:
        """Send snapshots of everything instead of what is queued."""
        self._pending.clear()
        self._parcels.clear()
        self._behind = True
        self._tell()

    async def revise(self) -> None:
        """Its ports have changed: withdraw slices that none of them leads to any more. A host that
        can't be told of that, as it reads nothing and asks for what is not its own, is hung up on:
        others wait for this."""
        for name in list(self.slices):
            if not await self._source.reach(self.host, name):
                self.unsubscribe(name)
                try:
                    self._refuse(name)
                except Forbidden as forbidden:
                    _log.warning("session.forbidden", host=self.host, why=str(forbidden))
                    self.end()
                    return

    def _refuse(self, name: str) -> None:
        _log.info("session.refused", host=self.host, slice=name)
        if len(self._refused) >= slices_per_host_max:
            metrics.limit_reached.labels("refused_per_host").inc()
            raise Forbidden(f"{self.host} asks for too many slices that it may not have")
        self._refused[name] = None
        self._tell()

    async def _begin_again(self) -> None:
        self._behind = False
        _log.warning("session.behind", host=self.host, slices=len(self.slices))
        for name in list(self.slices):
            await self._add(name, 0, 0)

    def _pack(self) -> None:
        live, self._pending = list(self._pending.values()), {}
        source = self._source
        self._parcels.add(
            Parcel(Content.LIVE, live, position=source.position, reached=source.offered)
        )

    def _frame(self) -> Frame:
        refused, self._refused = list(self._refused), {}
        self._has_moved = self._has_moved and bool(self._parcels)
        # The position that the source has reached holds only once what is pending has left.
        holds = self._parcels if self._pending else None
        position = holds.position if holds else self._source.position
        reached = holds.reached if holds else self._source.offered
        frame = self._parcels.frame(self._source.epoch, position, reached, refused)
        self._sent.append(_Sent(frame.position, frame.reached))
        self._sent_position = frame.position
        self._traced.left(frame)
        return frame
