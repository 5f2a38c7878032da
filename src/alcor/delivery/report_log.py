"""Tell the report log of hosts and their ports, so that the newest connection of a host counts.

Several deliveries write. Each connection of a host is a term, greater than every term that the log
knows of the host; what is told in an earlier term is not news, whenever it comes. A log that has
lost its end does not know the last terms, so a term is no less than the second in which it begins:
who tells of an earlier connection again, to fill the log, does not replace what a later one says.
Where the later one's delivery has a clock that is behind, it does, but only for that connection:
who serves it hears so and ends it, and the host's next one begins after what the log then knows.

What is told of a host is where it is and what it has, not how far it is: every delivery and every
manager hears all that is told, and a change may concern all hosts.
"""

from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec
import structlog

from alcor.delivery.hosts import Hosts, decode_host
from alcor.delivery.session import HostSession
from alcor.goal_state.reports import HostReport, PortReport, host_key, port_key
from alcor.keyed_log.log import Change, Entry, KeyedLog
from alcor.keyed_log.together import TogetherGet, TogetherPut
from alcor.runtime.clock import Seconds
from alcor.transport.link import NOTHING, Behind, Forbidden, Report
from alcor.values.capacity import NOTHING as NO_CAPACITY

_log = structlog.get_logger(__name__)

attempts_max = 5  # at a term of its own, when several deliveries want the same one at once
untold_max = 32  # every so often a host that repeats itself is told of: some five minutes

_encode = msgspec.msgpack.Encoder().encode


class ReportLog:
    """What one delivery tells."""

    def __init__(self, log: KeyedLog, delivery: int, clock: Seconds, hosts: Hosts) -> None:
        self._log = log
        self._hosts = hosts
        self._clock = clock
        self._told = TogetherPut(log)
        self._asked = TogetherGet(log)
        self._delivery = delivery
        self._life = log.epoch

    async def renewed(self) -> None:
        """Wait until the log is in a later life."""
        self._life = await self._log.renewed(self._life)

    async def open(self, session: HostSession) -> None:
        """Begin a connection's term; `Behind` when others begin newer ones all the time.

        `Forbidden` while an agent at another address is connected as that host to another delivery.
        """
        key = host_key(session.host)
        for _ in range(attempts_max):
            held = await self._asked.get(key)
            self._check_single(held, session)
            session.begin_after(_revision(held), self._clock())
            await self.tell_host(session, Report(0, 0), connected=True)
            held = await self._asked.get(key)
            if held is None or self._is_of(held, session):
                session.repeats = crc32(key.encode()) % untold_max  # not all hosts at once
                self._hosts.said(session.host, session.term, NOTHING)
                return
            _log.info("host.term_taken", host=session.host, term=session.term)
        raise Behind(f"{session.host} connects elsewhere as well")

    async def tell_host(self, session: HostSession, report: Report, *, connected: bool) -> None:
        """How far a host is, and whether it is there; return when the log has it."""
        await self._told.put([self._host(session, report, connected=connected)])

    def add_host(self, session: HostSession, report: Report, *, wanted: bool) -> None:
        """How far a connected host is, and don't wait for the log: the host says it again.

        The log is told seldom, unless somebody there has `wanted` to know how far the host is: when
        its switch is another or has a fault, or others told something else of the host. And now and
        then when it repeats itself, so that the log is not too far from how things are, and lest it
        has lost what it was told.
        """
        self._hosts.said(session.host, session.term, session.reached(report))
        repeated = report == session.last_report
        session.last_report = report
        session.repeats += repeated
        is_due = repeated and session.repeats % untold_max == 0
        is_news = _of_switch(report) != _of_switch(session.told_report)
        if wanted or is_news or is_due or session.is_overruled:
            self._told.add([self._host(session, report, connected=True)])

    def _host(self, session: HostSession, report: Report, *, connected: bool) -> Change:
        reached, capacity = session.reached(report), session.hello.capacity
        told = HostReport(
            host=session.host,
            epoch=report.epoch,
            position=report.position,
            flows=report.flows,
            version=session.hello.version,
            tunnel_ip=session.tunnel_ip,
            connected=connected,
            physical_networks=session.hello.physical_networks,
            capacity=None if capacity == NO_CAPACITY else capacity,
            delivery=self._delivery,
            life=reached.life,
            reached=reached.position,
            bridge=session.hello.bridge,
            datapath_type=report.datapath_type,
            fault=report.fault,
        )
        key = host_key(session.host)
        session.told_report = report
        session.told = Change(key, _encode(told), session.next_revision())
        return session.told

    async def tell_ports(self, session: HostSession, ports: Sequence[PortReport]) -> None:
        """What became of ports on their host."""
        session.port_reports |= {port.port_id: port for port in ports}
        if ports:
            revision = session.next_revision()
            await self._told.put(
                [Change(port_key(p.host, p.port_id), _encode(p), revision) for p in ports]
            )

    async def forget_ports(self, ports: Iterable[tuple[str, str]]) -> None:
        """Ports, by host and id, have left their hosts: what these said is of no use any more.

        Every delivery says so of all hosts; who is first is heard.
        """
        keys = [port_key(host, id_) for host, id_ in ports]
        if keys:
            held = (await self._log.get(keys)).values()
            await self._told.put([Change(entry.key, None, entry.revision + 1) for entry in held])

    def _check_single(self, held: Entry | None, session: HostSession) -> None:
        """Two would end each other's sessions in turn. That the hosts of a delivery that was killed
        are gone others say soon."""
        if held is None or held.value is None:
            return
        other = decode_host(held.value)
        ends = {other.tunnel_ip, session.tunnel_ip}
        if (
            other.connected
            and other.delivery != self._delivery
            and "" not in ends
            and len(ends) > 1
        ):
            raise Forbidden(
                f"an agent is connected elsewhere that says it is {other.host}, "
                f"at {other.tunnel_ip}"
            )

    def _is_of(self, held: Entry, session: HostSession) -> bool:
        return (
            not session.is_before(held.revision)
            and held.value is not None
            and decode_host(held.value).delivery == self._delivery
        )


def _of_switch(report: Report) -> tuple[str, str]:
    return report.datapath_type, report.fault


def _revision(entry: Entry | None) -> int:
    return entry.revision if entry is not None else 0
