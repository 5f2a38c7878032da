"""One connected host: what it subscribes to, and what it must still be sent.

Live changes wait in a map by key, so a host that reads slowly costs at most one entry a key, and
when even that is too much it is sent snapshots instead. Nothing is built before it can be sent.
"""

import asyncio
from typing import Protocol

import structlog

from alcor.delivery import metrics
from alcor.delivery.parcels import Content, Parcel, Parcels
from alcor.transport.link import Forbidden, Frame, Hello, Item, Report

_log = structlog.get_logger(__name__)

slices_per_host_max = 20_000
pending_per_host_max = 50_000  # entries; beyond it the host is sent snapshots


class Source(Protocol):
    """What a session needs of the feed."""

    @property
    def epoch(self) -> int: ...

    @property
    def position(self) -> int:
        """Of the goal log: sessions have been offered everything up to here."""
        ...

    async def content(self, name: str, epoch: int, position: int) -> Parcel:
        """The content of a slice, for a host that holds it up to (epoch, position)."""
        ...

    async def reach(self, host: str, name: str) -> bool:
        """Whether a host may have a slice, once that is known."""
        ...

    def follow(self, session: "HostSession", name: str) -> None:
        """Offer changes of a slice to the session from now on."""
        ...

    def unfollow(self, session: "HostSession", name: str) -> None: ...

    async def reported(self, session: "HostSession", report: Report) -> None: ...

    async def closed(self, session: "HostSession") -> None: ...


class HostSession:
    """The delivery's end of one host's connection (`transport.link.Session`)."""

    def __init__(
        self, hello: Hello, source: Source, *, pending_max: int = pending_per_host_max
    ) -> None:
        self.hello = hello
        self.slices: dict[str, None] = {}
        self.last_report = Report(0, 0)
        self._source = source
        self._pending_max = pending_max
        self._pending: dict[str, Item] = {}  # live changes, in order of position
        self._parcels = Parcels()
        self._refused: dict[str, None] = {}
        self._behind = False  # it was offered more than it may keep: send snapshots
        self._over = False
        self._wake = asyncio.Event()

    @property
    def host(self) -> str:
        return self.hello.host

    @property
    def queued(self) -> int:
        """Entries that wait to be sent."""
        return len(self._pending) + len(self._parcels)

    def follows(self, kind: str) -> bool:
        """Whether it is sent a slice of this kind."""
        return any(name.startswith(f"{kind}/") for name in self.slices)

    async def subscribe(self, name: str, epoch: int, position: int) -> None:
        """Send the slice: what is newer than (epoch, position), or its snapshot."""
        if not await self._source.reach(self.host, name):
            self._refuse(name)
            return
        if len(self.slices) >= slices_per_host_max:
            metrics.limit_reached.labels("slices_per_host").inc()
            raise Forbidden(f"{self.host} subscribes to more than {slices_per_host_max} slices")
        self.slices[name] = None
        self._source.follow(self, name)  # before its content is read, so that nothing is lost
        self._parcels.drop_slice(name)
        self._parcels.add(await self._source.content(name, epoch, position))
        self._wake.set()

    def unsubscribe(self, name: str) -> None:
        """Send nothing more of the slice."""
        if name in self.slices:
            del self.slices[name]
            self._source.unfollow(self, name)
            self._parcels.drop_slice(name)
            for key in [key for key in self._pending if key.startswith(name)]:
                del self._pending[key]

    async def report(self, report: Report) -> None:
        """Take how far the host is."""
        await self._source.reported(self, report)

    async def next_frame(self) -> Frame | None:
        """Wait for something to send; None when the session is over."""
        while True:
            if self._over:
                return None
            if self._behind:
                await self._begin_again()
            if self._pending and not self._parcels:
                self._pack()
            if self._parcels or self._refused:
                return self._frame()
            self._wake.clear()
            await self._wake.wait()

    async def close(self) -> None:
        """The host is gone."""
        self.end()
        for name in list(self.slices):
            self.unsubscribe(name)
        await self._source.closed(self)

    def end(self) -> None:
        """Let the transport hang up."""
        self._over = True
        self._wake.set()

    def offer(self, item: Item) -> None:
        """A subscribed slice has changed."""
        self._pending.pop(item.key, None)
        self._pending[item.key] = item
        if len(self._pending) > self._pending_max:
            metrics.limit_reached.labels("pending_per_host").inc()
            self.begin_again()
        self._wake.set()

    def begin_again(self) -> None:
        """Send snapshots of everything instead of what is queued."""
        self._pending.clear()
        self._parcels.clear()
        self._behind = True
        self._wake.set()

    async def revise(self) -> None:
        """Its ports have changed: withdraw slices that none of them leads to any more."""
        for name in list(self.slices):
            if not await self._source.reach(self.host, name):
                self.unsubscribe(name)
                self._refuse(name)

    def _refuse(self, name: str) -> None:
        _log.info("session.refused", host=self.host, slice=name)
        if len(self._refused) >= slices_per_host_max:
            raise Forbidden(f"{self.host} asks for too many slices that it may not have")
        self._refused[name] = None
        self._wake.set()

    async def _begin_again(self) -> None:
        self._behind = False
        _log.warning("session.behind", host=self.host, slices=len(self.slices))
        for name in list(self.slices):
            self._parcels.drop_slice(name)
            self._parcels.add(await self._source.content(name, 0, 0))

    def _pack(self) -> None:
        live, self._pending = list(self._pending.values()), {}
        self._parcels.add(Parcel(Content.LIVE, live, position=self._source.position))

    def _frame(self) -> Frame:
        refused, self._refused = list(self._refused), {}
        # The position that the source has reached holds only once what is pending has left.
        position = self._parcels.position if self._pending else self._source.position
        return self._parcels.frame(self._source.epoch, position, refused)
