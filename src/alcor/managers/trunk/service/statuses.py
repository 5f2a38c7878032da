"""How trunks are: by what the hosts of their ports say, and where these are wanted.

From the report log and the intent log. Only ports of trunks cost anything, whatever number of
others change. A report counts when it comes from the host that the port is bound to.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from alcor.contracts.peers import Ids
from alcor.goal_state.reports import PortReport, PortStatus, port_key
from alcor.keyed_log.log import Entry, KeyedLog
from alcor.managers.trunk.model.refusals import TrunkNotFound
from alcor.managers.trunk.model.trunk import Trunk, Wired, status_of
from alcor.managers.trunk.needs import HeldPortPeer, Store, Transaction
from alcor.resource.revisions import touched

trunks_per_step_max = 1_000

_report = msgspec.msgpack.Decoder(PortReport).decode
_WIRED = {PortStatus.UP: Wired.UP, PortStatus.FAILED: Wired.FAILED}


class Statuses:
    """Keeps the status of every trunk."""

    def __init__(
        self, store: Store, ports: HeldPortPeer, reports: KeyedLog, now: Callable[[], str]
    ) -> None:
        self._store = store
        self._ports = ports
        self._reports = reports
        self._now = now
        self._trunk_by_port: dict[str, str] = {}
        self._ports_by_trunk: dict[str, Sequence[str]] = {}

    async def load(self) -> None:
        """Watch the ports of all trunks; for the start."""
        after = ""
        while trunks := await self._step(after):
            for trunk in trunks:
                self._watch(trunk)
            after = trunks[-1].id

    async def watch(self, trunk: Trunk) -> None:
        """A trunk has these ports now."""
        self._watch(trunk)
        await self._look([trunk.id])

    async def take(self, entries: Sequence[Entry]) -> None:
        """Something was said of ports: by their hosts, or by whoever binds them."""
        ids = (entry.key.rpartition("/")[2] for entry in entries)
        trunk_ids = {self._trunk_by_port[id_] for id_ in ids if id_ in self._trunk_by_port}
        await self._look(sorted(trunk_ids))

    def _watch(self, trunk: Trunk) -> None:
        self._forget(trunk.id)
        self._ports_by_trunk[trunk.id] = trunk.port_ids
        self._trunk_by_port |= dict.fromkeys(trunk.port_ids, trunk.id)

    async def _step(self, after: str) -> list[Trunk]:
        return await self._store.read(lambda tx: tx.trunks(after, trunks_per_step_max))

    async def _look(self, trunk_ids: Iterable[str]) -> None:
        for trunk_id in trunk_ids:
            await self._look_at(trunk_id)

    async def _look_at(self, trunk_id: str) -> None:
        trunk = await self._store.read(lambda tx: _found(tx, trunk_id))
        if trunk is None:
            self._forget(trunk_id)
            return
        wired = await self._wired(trunk.port_ids)
        status = status_of(wired[0], wired[1:])
        if status != trunk.status:
            await self._store.write(lambda tx: self._save(tx, trunk_id, status))

    def _forget(self, trunk_id: str) -> None:
        for port_id in self._ports_by_trunk.pop(trunk_id, ()):
            if self._trunk_by_port.get(port_id) == trunk_id:  # else it is on another by now
                del self._trunk_by_port[port_id]

    def _save(self, tx: Transaction, trunk_id: str, status: str) -> None:
        trunk = _found(tx, trunk_id)
        if trunk is not None:
            tx.save(touched(trunk, {"status": status}, self._now()))

    async def _wired(self, port_ids: Sequence[str]) -> list[Wired]:
        """What each port's own host says of it."""
        views = (await self._ports.views(Ids(list(port_ids)))).ports
        host_by_port = {view.port.id: view.port.host for view in views}
        keys = [port_key(host_by_port.get(id_, ""), id_) for id_ in port_ids]
        told = await self._reports.get(keys)
        return [_heard(told.get(key)) for key in keys]


def _found(tx: Transaction, trunk_id: str) -> Trunk | None:
    try:
        return tx.trunk(trunk_id, None)
    except TrunkNotFound:
        return None


def _heard(entry: Entry | None) -> Wired:
    if entry is None or entry.value is None:
        return Wired.NOT_YET
    return _WIRED.get(_report(entry.value).status, Wired.NOT_YET)
