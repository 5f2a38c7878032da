"""Free the leases of owners that never came to be.

A port create leases first and saves the port afterwards; a crash in between leaves a lease
without a port. The sweeper asks the port manager to fence the owners that it has not seen alive
yet: those that are not, and now never will be, lose their leases. Owners found alive are trusted
from then on, since whoever deletes a port gives its addresses back, so a lease is asked about once.
"""

from collections.abc import Sequence

from alcor.contracts.peers import Owners, PortPeer
from alcor.managers.ip.needs import Clock, Store, Suspect, Transaction

page_max = 1_000  # leases a page


class Sweeper:
    """Sweeps one IP manager's leases."""

    def __init__(self, store: Store, ports: PortPeer, clock: Clock) -> None:
        self._store = store
        self._ports = ports
        self._clock = clock

    async def sweep(self, age_ms_min: int) -> int:
        """Look at every lease that is older and whose owner is not trusted; return how many went.

        With age 0, all that were made before now: what a crash left behind, at start.
        """
        before = self._clock() - age_ms_min
        freed = 0
        while True:
            page = await self._store.read(lambda tx: tx.suspects(before, page_max))
            if not page:
                return freed
            gone = await self._ports.fence_owners(Owners(_owners(page)))
            orphans, trusted = await self._settle(page, frozenset(gone.ids))
            freed += orphans
            if len(page) < page_max or not orphans + trusted:
                return freed

    async def _settle(self, page: Sequence[Suspect], gone: frozenset[str]) -> tuple[int, int]:
        """How many leases were freed, and how many trusted."""

        def work(tx: Transaction) -> tuple[int, int]:
            # What was asked for again meanwhile is a new create's: leave it for the next sweep.
            unchanged = tx.unchanged(page)
            orphans = [lease for lease in unchanged if lease.owner in gone]
            living = [lease for lease in unchanged if lease.owner not in gone]
            tx.delete_leases(orphans)
            tx.trust(living)
            return len(orphans), len(living)

        return await self._store.write(work)


def _owners(page: Sequence[Suspect]) -> list[str]:
    return list(dict.fromkeys(suspect.lease.owner for suspect in page))
