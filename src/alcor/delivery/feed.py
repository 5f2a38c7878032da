"""Who is connected, who is offered which change, and what they report.

One watch of the goal log serves all hosts: each change is offered to the sessions that follow its
slice. A host may have its own slice, and those that its ports lead to: their networks, the routers
there and the networks that these join, their security groups, and the remotes of those groups'
rules.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import structlog

from alcor.delivery import metrics
from alcor.delivery.hosts import Hosts
from alcor.delivery.lazy import LazyNetworks, Offer
from alcor.delivery.parcels import Content, Parcel
from alcor.delivery.report_log import ReportLog
from alcor.delivery.session import HostSession
from alcor.delivery.watermark import Watermark
from alcor.goal_state.reports import PortReport, PortStatus, port_report
from alcor.goal_state.slices import GROUP, HOST, ROUTER, leads, looked_for, slice_of
from alcor.keyed_log.log import Compacted, Entry, KeyedLog, Slow
from alcor.planner.index import Index
from alcor.planner.nodes.router import is_gateway
from alcor.runtime.clock import Seconds, now_s
from alcor.transport.link import (
    Forbidden,
    Got,
    Hello,
    Item,
    PortState,
    Reached,
    Report,
    Session,
)

_log = structlog.get_logger(__name__)

_NOBODY: Mapping[HostSession, None] = {}
_OF_HOSTS, _OF_ROUTERS = f"{HOST}/", f"{ROUTER}/"

hosts_max = 20_000
keys_per_get_max = 1_000


class HostFeed:
    """All sessions (`transport.link.Feed`)."""

    def __init__(
        self,
        goal: KeyedLog,
        reports: KeyedLog,
        index: Index,
        ready: Callable[[], Awaitable[object]],
        watermark: Watermark,
        hosts: Hosts,
        clock: Seconds = now_s,
    ) -> None:
        self.position = 0  # of the goal log: sessions have been offered everything up to here
        self._goal = goal
        self._hosts = hosts
        self._reports = ReportLog(reports, goal.epoch, clock, hosts)
        self._index = index
        self._ready = ready
        self._is_ready = False  # as far as we have seen
        self._watermark = watermark
        self._session_by_host: dict[str, HostSession] = {}
        self._sessions_by_slice: dict[str, dict[HostSession, None]] = {}
        self._lazy = LazyNetworks()  # as of the position
        metrics.queue_depth.set_function(lambda: self.queued)

    @property
    def epoch(self) -> int:
        return self._goal.epoch

    @property
    def offered(self) -> Reached:
        """What the position is to all deliveries."""
        return self._watermark.offered(self.position)

    @property
    def queued(self) -> int:
        """Entries that wait to be sent, to all hosts."""
        return sum(session.queued for session in self._session_by_host.values())

    # What a transport's server calls

    async def open(self, hello: Hello) -> Session:
        """Begin a host's session; an older one of the same host ends.

        `Forbidden` while an agent at another address is connected as that host: two would
        end each other's sessions in turn, and everybody's tunnels would lead now here, now there.
        """
        if hello.host not in self._session_by_host and len(self._session_by_host) >= hosts_max:
            metrics.limit_reached.labels("hosts").inc()
            raise Forbidden(f"more than {hosts_max} hosts are connected already")
        older = self._session_by_host.get(hello.host)
        if older is not None and not older.is_over and _elsewhere(older.hello, hello):
            raise Forbidden(
                f"an agent is connected already that says it is {hello.host}, at {older.tunnel_ip}"
            )
        session = HostSession(hello, self)
        self._session_by_host[hello.host] = session
        if older is not None:
            older.end()
        metrics.sessions.set(len(self._session_by_host))
        try:
            await self._reports.open(session)
        except BaseException:  # it is not let in, or does not wait for it
            if self._session_by_host.get(hello.host) is session:
                del self._session_by_host[hello.host]
                metrics.sessions.set(len(self._session_by_host))
            raise
        _log.info("host.connected", host=hello.host, version=hello.version)
        return session

    async def get(self, host: str, keys: Sequence[str]) -> Got:
        """Entries by key; `Forbidden` when the host may not have one of them."""
        if len(keys) > keys_per_get_max:
            metrics.limit_reached.labels("keys_per_get").inc()
            raise Forbidden(f"more than {keys_per_get_max} keys at once")
        for name in {slice_of(key) for key in keys}:
            if not await self.reach(host, name):
                raise Forbidden(f"{host} may not have {name}")
        position = self.position
        held = await self._goal.get(keys)
        entries = [held[key] for key in keys if key in held]
        return Got(self.epoch, position, _items(entries))

    # What sessions call

    async def reach(self, host: str, name: str) -> bool:
        """Whether a host may have a slice, as of all intent that there was at start."""
        await self._ready()
        if looked_for(name) is not None and self._lazy.found(name) is None:
            return False
        return self._index.concerns(host, name)

    async def catch_up(self, reached: Reached) -> None:
        """Wait until as much is planned here as the host has."""
        await self._ready()
        await self._watermark.catch_up(reached)

    async def content(
        self, name: str, epoch: int, position: int, *, lazy: bool = False, names: bool = True
    ) -> Parcel:
        """What changed since (epoch, position), if the log remembers; else the snapshot.

        What is found for a host, and what it holds of a network `lazy`-ly (and of its names, unless
        it looks for `names`), is always a snapshot.
        """
        if looked_for(name) is not None:
            found = self._lazy.found(name) or []
            return Parcel(Content.SNAPSHOT, [e for e in found if names or not _is_name(e)], name)
        network = self._lazy.get(name) if lazy else None
        if network is not None:
            return Parcel(Content.SNAPSHOT, network.rest(names=names), name)
        had_all = not lazy or self._lazy.has_all_since(name, position)
        if epoch == self.epoch and had_all:
            try:
                changed = await self._goal.changes(name, position)
                return Parcel(Content.RESUMED, _items(changed.entries), name)
            except Compacted:
                _log.info("session.compacted", slice=name, since=position)
        snapshot = await self._goal.snapshot(name)
        return Parcel(Content.SNAPSHOT, _items(snapshot.entries), name)

    def follow(self, session: HostSession, name: str) -> None:
        """Offer changes of a slice to the session from now on."""
        self._sessions_by_slice.setdefault(name, {})[session] = None

    def unfollow(self, session: HostSession, name: str) -> None:
        """Offer it no more changes of the slice."""
        sessions = self._sessions_by_slice.get(name, {})
        sessions.pop(session, None)
        if not sessions:
            self._sessions_by_slice.pop(name, None)

    async def reported(self, session: HostSession, report: Report) -> None:
        """Tell the report log how far a host is and what became of its ports."""
        if self._session_by_host.get(session.host) is not session:
            return  # An older connection of the host speaks: what it says is out of date.
        await self._ready()  # before that nobody knows whose the ports are
        self._is_ready = True
        theirs = [port for port in report.ports if self._is_theirs(session.host, port)]
        await self._reports.tell_ports(session, [_report(session.host, port) for port in theirs])
        self.take(session, report._replace(ports=()))

    def take(self, session: HostSession, report: Report) -> bool:
        """The same of a report of no ports, which waits for nothing: False when it is another."""
        if report.ports or not self._is_ready:
            return False
        if self._session_by_host.get(session.host) is session:  # else it has been closed meanwhile
            believed = self._believed(report)
            self._reports.add_host(session, believed, wanted=self._is_wanted(session.host))
        return True

    async def closed(self, session: HostSession) -> None:
        """A host's connection is gone."""
        if self._session_by_host.get(session.host) is session:
            del self._session_by_host[session.host]
            metrics.sessions.set(len(self._session_by_host))
            _log.info("host.disconnected", host=session.host)
            await self._reports.tell_host(session, session.last_report, connected=False)

    def heard(self, host: str, entry: Entry) -> None:
        """This is what the report log holds of a host, here or at another delivery."""
        session = self._session_by_host.get(host)
        if session is None:
            return
        session.logged = entry
        if session.is_before(entry.revision):
            _log.info("host.connected_elsewhere", host=host)
            session.end()

    async def tell_again(self) -> None:
        """Tell the report log, in each later life of it, what it may have lost; for ever."""
        while True:
            await self._reports.renewed()
            for session in list(self._session_by_host.values()):
                await self._reports.tell_ports(session, list(session.port_reports.values()))
                if self._session_by_host.get(session.host) is session:
                    await self._reports.tell_host(session, session.last_report, connected=True)

    # The fan-out

    async def run(self) -> None:
        """Offer changes of goal state to whoever follows them, for ever."""
        while True:
            try:
                async for entries in self._goal.watch("", self.position):
                    await self._fan_out(entries)
            except (Slow, Compacted):
                await self._begin_again()

    async def _fan_out(self, entries: Sequence[Entry]) -> None:
        misled: dict[HostSession, None] = {}  # what leads them to slices has changed
        turned: list[str] = []  # networks that are held as a whole again
        for entry in entries:
            turned += await self._offer(entry)
            misled.update(dict.fromkeys(self._misled(entry)))
        for name in turned:
            for session in list(self._sessions_by_slice.get(name, _NOBODY)):
                if session.hello.lazy:
                    await session.refresh(name)
        self._move(entries[-1].position)
        await self._unbind([e for e in entries if e.value is None and e.key.startswith(_OF_HOSTS)])
        gone = [entry.key for entry in entries if entry.value is None]
        await self._forget_gateways([key for key in gone if key.startswith(_OF_ROUTERS)])
        for session in misled:
            await session.revise()

    async def _offer(self, entry: Entry) -> list[str]:
        """Offer a change to whoever follows its slice; its network, if it is whole again."""
        name = slice_of(entry.key)
        sessions = self._sessions_by_slice.get(name, _NOBODY)
        if self._lazy.get(name) is not None or entry.key.endswith("/network"):
            return await self._offer_lazily(entry, name, sessions)
        if sessions:
            item = Item(*entry[:4])  # made once, whoever it is sent to
            for session in sessions:
                session.offer(item)
        return []

    def _misled(self, entry: Entry) -> Iterator[HostSession]:
        """Those whom a change may lead to other slices than before."""
        sessions = self._sessions_by_slice.get(slice_of(entry.key), _NOBODY)
        if entry.key.startswith(_OF_HOSTS):
            yield from (session for session in sessions if session.follows(GROUP))
        elif entry.value is None and leads(entry.key):
            yield from sessions

    async def _offer_lazily(
        self, entry: Entry, name: str, sessions: Mapping[HostSession, None]
    ) -> list[str]:
        """Offer a change of a network that is, was or becomes lazy; its name, if it was."""
        item = Item(*entry[:4])
        turns = self._lazy.turns(item)
        if turns:
            held = await self._goal.snapshot(name)
            self._lazy.begin(name, _items(held.entries))
        network = self._lazy.get(name)
        offer = network.take(item) if network is not None else Offer(item, item)
        for session in sessions:
            if turns:
                session.become_lazy(name)
            rest = offer.for_all if session.hello.names else offer.by_older
            what = item if session.is_told_all(name) else rest
            if what is not None:
                session.offer(what)
            else:
                session.move_on()
        for found in offer.found:
            for session in self._sessions_by_slice.get(slice_of(found.key), _NOBODY):
                if session.hello.names or not _is_name(found):
                    session.offer(found)
        if turns is False:
            self._lazy.end(name, entry.position)
            return [name]
        return []

    async def _unbind(self, gone: Sequence[Entry]) -> None:
        """Ports and routers have left hosts: forget ports' reports, withdraw slices they led to.

        With a router its gateways leave.
        """
        left = [entry.key.split("/") for entry in gone]
        ports = [(host, id_) for _, host, kind, id_ in left if kind == "port"]
        for _, host, kind, id_ in left:
            if kind == "exit":
                ports += [(host, port_id) for port_id in self._index.exits.gateways_of(id_)]
        for host, id_ in ports:
            if host in self._session_by_host:
                self._session_by_host[host].port_reports.pop(id_, None)
        await self._reports.forget_ports(ports)
        for host in {host for _, host, _, _ in left}:
            session = self._session_by_host.get(host)
            if session is not None:
                await session.revise()

    async def _forget_gateways(self, gone: Sequence[str]) -> None:
        """What hosts that are connected here said of gateways that are no more."""
        for key in gone:
            sessions = self._sessions_by_slice.get(slice_of(key), _NOBODY)
            port_id = key.rpartition("/")[2]
            said = [e for e in sessions if e.port_reports.pop(port_id, None) is not None]
            await self._reports.forget_ports((each.host, port_id) for each in said)

    def _move(self, position: int) -> None:
        """Sessions, if there are any, have been offered everything up to here."""
        self.position = position
        self._watermark.offered(position)  # which forgets what it knew of less

    async def _begin_again(self) -> None:
        metrics.limit_reached.labels("goal_watcher_pending").inc()
        _log.warning("feed.left_behind", position=self.position)
        whole = await self._goal.snapshot("")
        self._move(whole.position)
        self._lazy.begin_again(whole.position, _items(whole.entries))
        for session in self._session_by_host.values():
            session.begin_again()

    # Reports

    def _is_theirs(self, host: str, port: PortState) -> bool:
        """Whether a host may say so: where a port only waits, that it is ready, and no more; of a
        router's gateway that of its next hop, by whom it leads."""
        record = self._index.port(port.port_id)
        if record is None:
            return False
        if is_gateway(record):
            is_said = port.status is not PortStatus.FAILED
            return is_said and self._index.exits.leads_by(record) == host
        if port.status is PortStatus.UNWATCHED:
            return False
        return record.host == host or (
            port.status is PortStatus.UP and host in record.waiting_hosts
        )

    def _is_wanted(self, host: str) -> bool:
        """Whether who reads the report log wants to know how far a host is: managers, of one that
        returns, and deliveries of an older release, which ask nobody."""
        node = self._index.node(host)
        return self._hosts.heard_by_older or (node is not None and node.returning)

    def _believed(self, report: Report) -> Report:
        """What a host may say of how far it is: not beyond what it was offered."""
        if report.epoch != self.epoch:
            return report._replace(position=0)
        if report.position > self.position:
            return report._replace(position=self.position)
        return report


def _items(entries: Sequence[Entry]) -> list[Item]:
    return [Item(*entry[:4]) for entry in entries]


def _is_name(found: Item) -> bool:
    """Whether it is a name that was found, which agents that don't look for names can't read."""
    return "/name/" in found.key


def _report(host: str, port: PortState) -> PortReport:
    return port_report(port.port_id, host, port.status, port.reason, port.ofport)


def _elsewhere(one: Hello, other: Hello) -> bool:
    """Whether the two can't be of one machine."""
    ends = {one.tunnel_endpoint, other.tunnel_endpoint}
    return None not in ends and len(ends) == 2
