"""The ports, groups and ACLs that something is about: what is about one that has gone, goes."""

from collections.abc import Iterable, Mapping

from alcor.contracts.peers import AclsRequest, GroupsRequest, Ids
from alcor.managers.monitoring.needs import Peers
from alcor.managers.monitoring.sql import ABOUT
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.watching import Watching


class Subjects(Watching):
    """Watches one kind: ports, security groups, or network ACLs."""

    def __init__(self, kind: str, store: KeptStore, peers: Peers) -> None:
        super().__init__()
        self.kind = kind
        self._store, self._peers = store, peers

    async def in_use(self) -> set[str]:
        return await self._store.read(lambda tx: _subjects(tx, self.kind))

    async def look(self, ids: Iterable[str | None]) -> None:
        wanted = sorted({id_ for id_ in ids if id_})
        if wanted:
            await self._lose(set(wanted) - await self._living(wanted))

    async def statuses(self, ids: Iterable[str]) -> Mapping[str, str]:
        """The statuses of these ports; what is about one that is not there is gone afterwards."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        views = (await self._peers.ports.views(Ids(wanted))).ports
        found = {view.port.id: view.status for view in views}
        await self._lose(set(wanted) - found.keys())
        return found

    async def _living(self, ids: list[str]) -> set[str]:
        if self.kind == "port":
            return {view.port.id for view in (await self._peers.ports.views(Ids(ids))).ports}
        if self.kind == "network_acl":
            return set((await self._peers.acls.living_acls(AclsRequest(ids, ""))).ids)
        return {
            each.id for each in (await self._peers.groups.groups(GroupsRequest(ids, ""))).groups
        }

    async def _lose(self, ids: set[str]) -> None:
        if ids:
            await self._store.write(lambda tx: _remove_about(tx, self.kind, ids))
            self._watched -= ids


def _subjects(tx: KeptTransaction, kind: str) -> set[str]:
    return {
        value
        for kept, column in ABOUT[kind]
        for each in tx.where(kept, f"{column} IS NOT NULL")
        if (value := getattr(each, column))
        and not (column == "resource_id" and each.resource_type != kind)
    }


def _remove_about(tx: KeptTransaction, kind: str, ids: set[str]) -> None:
    for kept, column in ABOUT[kind]:
        for id_ in sorted(ids):
            tx.remove(kept, [each.id for each in tx.where(kept, f"{column} = ?", id_)])
