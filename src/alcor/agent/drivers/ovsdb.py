"""The driver of bridge, tunnel port and interfaces: makes sure of the first two, watches the last.

It takes a lock in the database, so that an agent which was thought dead never writes beside its
successor: only who has the lock writes, flows included.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import structlog

from alcor.agent.drivers import bridge, queues
from alcor.agent.drivers.attempts import Attempts
from alcor.agent.drivers.bridge import Wish
from alcor.agent.model.model import Interface, Tunnel
from alcor.agent.model.ports.monitoring import Kinds
from alcor.ovs.ovsdb.client import Disconnected, Ovsdb, Refused

log = structlog.get_logger()


class Listener(Protocol):
    """Who must know what the switch has."""

    def set_interfaces(self, interfaces: Mapping[str, Interface]) -> None:
        """All interfaces that name a port, by port."""
        ...

    def set_tunnel(self, tunnel: Tunnel | None) -> None:
        """The tunnel port."""
        ...

    def set_uplinks(self, uplinks: Mapping[str, int]) -> None:
        """The ofports that lead to physical networks, by name."""
        ...

    def set_datapath_type(self, datapath_type: str) -> None:
        """Of the integration bridge; empty when there is none."""
        ...

    def allow_writing(self, allowed: bool) -> None:
        """Whether the lock is ours and what the switch has is known."""
        ...


class SwitchDatabase:
    """Keeps the switch's configuration as wished, and tells what it holds."""

    def __init__(self, socket: Path, wish: Wish, listener: Listener) -> None:
        self._socket, self._wish, self._listener = socket, wish, listener
        self._lock = bridge.lock_of(wish)
        self._session: Ovsdb | None = None
        self._faults: set[str] = set()
        self._refusal = ""  # of the configuration, as it was told
        self._seen: dict[str, int] = {}  # interface's row -> how late it was first seen
        self._ifindexes: dict[str, int] = {}

    def want_copies(self, kinds: Kinds) -> None:
        """There shall be ports for these kinds of copies."""
        self._wish = self._wish._replace(copies=kinds)
        if self._session is not None:
            self._session.look_again()

    def want_queues(self, wanted: Mapping[str, Mapping[int, int]]) -> None:
        """The operator's bridges shall have these queues, with so many bits a second."""
        if wanted != self._wish.queues:
            self._wish = self._wish._replace(queues=wanted)
            if self._session is not None:
                self._session.look_again()

    async def run(self) -> None:
        """Connect, make sure, watch; again when the connection is lost; for ever."""
        attempts, told = Attempts(), False
        while True:
            attempts.begin()
            try:
                session = await Ovsdb.connect(self._socket)
            except OSError as error:
                if not told:  # while it stays away each attempt says the same
                    log.warning("no switch database", socket=str(self._socket), reason=str(error))
                told = True
                await attempts.pause()
                continue
            self._session = session
            try:
                await self._serve(session)
            except Disconnected as error:
                log.warning("switch database lost", reason=str(error))
            except Refused as error:
                if str(error) != self._refusal:  # each attempt says the same
                    log.error("switch configuration refused", reason=str(error))
                self._refusal = str(error)
            finally:
                # What was known of interfaces stays; but somebody else may have the lock now.
                self._session = None
                self._listener.allow_writing(False)
                session.close()
            told = False
            await attempts.pause()

    async def _serve(self, session: Ovsdb) -> None:
        if not await session.lock(self._lock):
            log.warning("another agent drives this switch; waiting for it to go", lock=self._lock)
        await session.monitor(bridge.COLUMNS)
        while True:
            if session.holds(self._lock):
                await self._make_sure(session)
                self._tell(session)
            else:
                self._listener.allow_writing(False)
            await session.change()

    async def _make_sure(self, session: Ovsdb) -> None:
        operations = bridge.missing(session.rows, self._wish)
        if operations:
            log.info("configuring the switch", operations=len(operations))
            await session.transact(operations)
        self._refusal = ""
        await self._keep_queues(session)
        faults = set(bridge.faults(session.rows, self._wish))
        faults |= set(queues.faults(session.rows, self._wish))
        faults |= {
            f"several interfaces say that they are port {port_id}"
            for port_id in bridge.doubled(session.rows, self._wish)
        }
        for fault in faults - self._faults:
            log.error("switch configuration", fault=fault)
        self._faults = faults

    async def _keep_queues(self, session: Ovsdb) -> None:
        """Apart from the rest: whatever becomes of them, the host is served."""
        operations = queues.missing(session.rows, self._wish)
        if not operations:
            return
        log.info("configuring queues", operations=len(operations))
        try:
            await session.transact(operations)
        except Refused as error:
            log.error("queues refused", reason=str(error))

    def _tell(self, session: Ovsdb) -> None:
        rows = session.rows.get("Interface", {})
        self._note_arrivals(set(rows))
        for name in bridge.replaced(rows, self._ifindexes):
            log.error("device replaced under its name; plug the port again", interface=name)
        self._listener.set_interfaces(bridge.interfaces_of(session.rows, self._wish, self._seen))
        self._listener.set_tunnel(bridge.tunnel_of(session.rows, self._wish))
        self._listener.set_uplinks(bridge.uplinks_of(session.rows, self._wish))
        self._listener.set_datapath_type(bridge.datapath_type_of(session.rows, self._wish))
        self._listener.allow_writing(True)

    def _note_arrivals(self, rows: set[str]) -> None:
        late = max(self._seen.values(), default=0) + 1
        known = {row: self._seen[row] for row in rows if row in self._seen}
        self._seen = dict.fromkeys(rows, late) | known
