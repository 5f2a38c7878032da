"""Follow networks and subnets: an ACL goes with its network, an association with its subnet.

A snapshot of the log may be behind an owner that has just made something, so what it lacks is
asked of the owner: missing information is never deletion.
"""

from collections.abc import Iterable, Sequence

from alcor.contracts.peers import Ids
from alcor.intent.follow import id_of
from alcor.keyed_log.log import Entry
from alcor.managers.network_acl.model.acl import NetworkAcl, changed
from alcor.managers.network_acl.needs import NetworkPeer, Store, SubnetPeer, Transaction
from alcor.runtime.managing.writes import Makers


class Parents:
    """What becomes of ACLs when networks and subnets go."""

    def __init__(
        self, store: Store, networks: NetworkPeer, subnets: SubnetPeer, makers: Makers
    ) -> None:
        self._store = store
        self._networks = networks
        self._subnets = subnets
        self._makers = makers

    async def replace_networks(self, entries: Sequence[Entry]) -> None:
        """The log's snapshot of all networks."""
        named = await self._store.read(lambda tx: tx.network_ids())
        missing = sorted(named - {id_of(entry) for entry in entries})
        if missing:
            living = (await self._networks.networks(Ids(missing))).networks
            await self._drop_networks(set(missing) - {network.id for network in living})

    async def apply_networks(self, entries: Sequence[Entry]) -> None:
        """Changes of networks, from the log."""
        await self._drop_networks(id_of(entry) for entry in entries if entry.value is None)

    async def replace_subnets(self, entries: Sequence[Entry]) -> None:
        """The log's snapshot of all subnets."""
        acls = await self._store.read(_associated)
        told = {id_of(entry) for entry in entries}
        suspect = {acl.network_id for acl in acls if not told.issuperset(acl.subnet_ids)}
        if suspect:
            found = (await self._subnets.subnets_of(Ids(sorted(suspect)))).subnets
            living = told | {subnet.id for subnet in found}
            await self._drop_subnets(s for acl in acls for s in acl.subnet_ids if s not in living)

    async def apply_subnets(self, entries: Sequence[Entry]) -> None:
        """Changes of subnets, from the log."""
        await self._drop_subnets(id_of(entry) for entry in entries if entry.value is None)

    async def _drop_networks(self, ids: Iterable[str]) -> None:
        gone = list(ids)

        def work(tx: Transaction) -> None:
            for network_id in gone:
                for acl in tx.acls_of_network(network_id):
                    tx.remove_acl(acl.id)

        if gone:
            await self._store.write(work)

    async def _drop_subnets(self, ids: Iterable[str]) -> None:
        gone, now = list(ids), self._makers.now()

        def work(tx: Transaction) -> None:
            for subnet_id in gone:
                acl = tx.acl_of_subnet(subnet_id)
                if acl is not None:
                    left = [each for each in acl.subnet_ids if each != subnet_id]
                    tx.save_acl(changed(acl, {"subnet_ids": left}, now))

        if gone:
            await self._store.write(work)


def _associated(tx: Transaction) -> list[NetworkAcl]:
    acls = [acl for id_ in tx.network_ids() for acl in tx.acls_of_network(id_)]
    return [acl for acl in acls if acl.subnet_ids]
