"""The use cases of the IP manager: pools come and go, addresses are leased and given back.

One transaction each, whatever the size of the request. All may be repeated.
"""

from alcor.contracts.peers import (
    Counts,
    Done,
    Holdings,
    Ids,
    Lease,
    LeaseReply,
    LeaseRequest,
    Pool,
    Pools,
    ReleaseRequest,
)
from alcor.managers.ip.ledger import Held, Ledger
from alcor.managers.ip.model import AddressPool, IpAddressAlreadyAllocated, Range
from alcor.managers.ip.needs import Clock, Store, Transaction
from alcor.values.addresses import Address, address, prefix


class IpService:
    """Keeps the contract `IpPeer`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def save_pools(self, request: Pools) -> Done:
        """IpAddressAlreadyAllocated when an address to be newly reserved is leased: nothing is
        saved. One that is reserved already may be leased by name: to a router, for example."""
        pools = [_parsed(pool) for pool in request.pools]

        def work(tx: Transaction) -> None:
            spaces = tx.spaces({pool.subnet_id for pool in pools})
            for pool in pools:
                held = spaces.get(pool.subnet_id)
                for number in pool.reserved - (held.pool.reserved if held else frozenset()):
                    _check_free(tx, pool, Address(pool.prefix.version, number))
                tx.save_pool(pool)

        await self._store.write(work)
        return Done()

    async def drop_pools(self, request: Ids) -> Done:
        def work(tx: Transaction) -> None:
            for subnet_id in request.ids:
                tx.drop_pool(subnet_id)

        await self._store.write(work)
        return Done()

    async def lease(self, request: LeaseRequest) -> LeaseReply:
        at = self._clock()
        wanted = [wish for group in request.groups for wish in group.wanted]
        subnet_ids = {subnet_id for wish in wanted for subnet_id in wish.subnet_ids}
        network_ids = {network_id for group in request.groups for network_id in group.known}

        def work(tx: Transaction) -> LeaseReply:
            spaces = tx.spaces(subnet_ids)
            held = tx.held({owner for wish in wanted for owner in wish.owners})
            ledger = Ledger(spaces, held, tx.subnets_of(network_ids))
            reply = LeaseReply([ledger.lease(group) for group in request.groups])
            tx.save_leases(ledger.leased, ledger.repeated, spaces.values(), at)
            return reply

        return await self._store.write(work)

    async def release(self, request: ReleaseRequest) -> Done:
        named = [_held(lease) for lease in request.leases if lease.address]
        owners = {lease.owner for lease in request.leases if not lease.address}

        def work(tx: Transaction) -> None:
            tx.delete_leases([*named, *tx.held(owners)])

        await self._store.write(work)
        return Done()

    async def used(self, request: Ids) -> Counts:
        def work(tx: Transaction) -> Counts:
            return Counts({id_: space.used for id_, space in tx.spaces(request.ids).items()})

        return await self._store.read(work)

    async def keep(self, request: Holdings) -> Done:
        kept = {_held(lease) for holding in request.holdings for lease in holding.leases}
        owners = {holding.owner for holding in request.holdings}

        def work(tx: Transaction) -> None:
            tx.delete_leases([lease for lease in tx.held(owners) if lease not in kept])

        await self._store.write(work)
        return Done()


def _parsed(pool: Pool) -> AddressPool:
    """`ValueError` when it is malformed: the subnet manager checks what tenants write."""
    ranges = sorted(Range(address(r.start).number, address(r.end).number) for r in pool.ranges)
    reserved = frozenset(address(text).number for text in pool.reserved)
    return AddressPool(pool.subnet_id, pool.network_id, prefix(pool.cidr), tuple(ranges), reserved)


def _held(lease: Lease) -> Held:
    return Held(lease.owner, lease.subnet_id, address(lease.address))


def _check_free(tx: Transaction, pool: AddressPool, reserved: Address) -> None:
    if tx.holder(pool.subnet_id, reserved) is not None:
        raise IpAddressAlreadyAllocated(
            f"IP address {reserved} already allocated in subnet {pool.subnet_id}"
        )
