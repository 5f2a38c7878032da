"""What travels between control plane and host, whatever carries it.

The values mirror proto/alcor/v1/transport.proto. `Feed` and `Session` are what a transport's
server needs of the delivery; `Link` is what a transport's client gives to the agent.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple, Protocol

from alcor.goal_state.reports import PortStatus
from alcor.values.addresses import Address
from alcor.values.capacity import NOTHING as NO_CAPACITY
from alcor.values.capacity import Capacity


class Item(NamedTuple):
    """One entry of a slice on its way: a value of None means that it is gone."""

    key: str
    value: bytes | None
    revision: int
    trace: str


class Reached(NamedTuple):
    """How much of what tenants want somebody has: everything up to `position` of the intent log, in
    the life of it that is called `life`. Unlike goal-log positions, all deliveries share these."""

    life: str = ""
    position: int = 0


NOTHING = Reached()


class Frame(NamedTuple):
    """Some entries, and how far the host is once it has taken them.

    Whoever takes a frame drops what is not newer than what it holds, so a frame may come twice.
    What is held of a slice may be dropped for absence only when the slice `completes`: then what
    was not sent since the frame that `begins` it is gone.
    """

    epoch: int
    position: int  # everything subscribed, up to here, has been sent
    items: Sequence[Item] = ()
    begins: Sequence[str] = ()
    completes: Sequence[str] = ()
    resumes: Sequence[str] = ()
    refused: Sequence[str] = ()
    reached: Reached = NOTHING  # what `position` is to every delivery


class Hello(NamedTuple):
    """Who calls."""

    host: str
    version: str
    tunnel_endpoint: Address | None
    physical_networks: tuple[str, ...] = ()  # to which it has an uplink
    reached: Reached = NOTHING  # of the last frame that it took, whoever sent it
    lazy: bool = False  # it can hold networks lazily
    names: bool = False  # and looks for names there
    capacity: Capacity = NO_CAPACITY  # what it has to guarantee
    bridge: str = ""  # the integration bridge


class PortState(NamedTuple):
    """What became of one port on this host."""

    port_id: str
    status: PortStatus
    reason: str = ""
    ofport: int = 0  # of its interface, if it is up


class Report(NamedTuple):
    """The switch has acknowledged everything subscribed up to `position` of `epoch`, with no
    subscription incomplete; `ports` are those whose status changed (all after `Connected`)."""

    epoch: int
    position: int
    ports: Sequence[PortState] = ()
    flows: int = 0  # on the switch
    datapath_type: str = ""  # of the integration bridge, as the switch's database says
    fault: str = ""  # why the switch can't be told anything now; empty: it can


class Got(NamedTuple):
    """Entries asked for by key; a key that is not there is absent."""

    epoch: int
    position: int
    items: Sequence[Item]


class Connected(NamedTuple):
    """The control plane answers (again): report every port's status anew."""


class Disconnected(NamedTuple):
    """The connection is gone, and will be made again; what is held stays."""

    reason: str


class Forbidden(Exception):
    """A host asked for what no port of its leads to, or in another host's name."""


class Behind(Exception):
    """The host has more already than who serves it; it keeps that, and calls again."""


class Violation(Exception):
    """The other side doesn't keep the protocol; the connection is given up."""


class Session(Protocol):
    """One connected host, as its transport's server sees it."""

    async def subscribe(self, name: str, epoch: int, position: int) -> None:
        """Send the slice `name`: what is newer than (epoch, position), or its snapshot.

        `Forbidden` when it asks for too much, `Behind` when the host knows more than we do."""
        ...

    def unsubscribe(self, name: str) -> None:
        """Send nothing more of the slice."""
        ...

    async def report(self, report: Report) -> None:
        """Take how far the host is."""
        ...

    def take(self, report: Report) -> bool:
        """Take at once how far the host is; False where `report` is to be awaited instead."""
        ...

    async def frame(self) -> Frame | None:
        """What there is to send now; None when that is nothing."""
        ...

    def call(self, tell: Callable[[], None]) -> None:
        """Call this whenever there may be something to send, or the session is over: now, too."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether there is something to send now."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent."""
        ...

    def end(self) -> None:
        """Nothing more comes of the host: the session is over from now on."""
        ...

    async def close(self) -> None:
        """The host is gone; call it once, whatever happened."""
        ...


class Feed(Protocol):
    """Where a transport's server gets sessions and entries from."""

    async def open(self, hello: Hello) -> Session:
        """Begin a host's session; an older one of the same host ends."""
        ...

    async def get(self, host: str, keys: Sequence[str]) -> Got:
        """Entries by key; `Forbidden` when the host may not have one of them."""
        ...


class Link(Protocol):
    """The agent's end: it connects by itself, again and again, and subscribes anew.

    After a lost connection every slice resumes from the position of the last frame that
    `events` handed out; a slice whose snapshot was cut begins again.
    """

    def events(self) -> AsyncIterator[Frame | Connected | Disconnected]:
        """What comes, for ever; call it once. The connection lives as long as it is iterated."""
        ...

    def subscribe(self, name: str, epoch: int = 0, position: int = 0) -> None:
        """Want a slice, of which everything up to (epoch, position) is held already (0: nothing).

        Subscribing again to what is subscribed does nothing."""
        ...

    def unsubscribe(self, name: str) -> None:
        """Want it no more."""
        ...

    def report(self, report: Report) -> None:
        """Tell how far the host is. Reports that wait for the connection are merged into one:
        the last position, the last state of every port."""
        ...

    async def get(self, keys: Sequence[str]) -> Got:
        """Entries by key, now; `Forbidden`, or `ConnectionError` when nobody answers."""
        ...
