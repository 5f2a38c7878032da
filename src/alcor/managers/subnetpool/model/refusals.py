"""Why a pool, or a prefix of one, can't be had. Source: neutron_lib.exceptions."""

from alcor.values.errors import BadRequest, Conflict, InvalidInput, NotFound


class SubnetPoolNotFound(NotFound):
    """There is no such pool, or it is not theirs to use."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Subnet pool {id_[:255]} could not be found.")


class SubnetPoolIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the subnet pool. Its id is in use.")


class SubnetPoolDeleteError(BadRequest):
    """Subnets have prefixes of the pool."""

    def __init__(self) -> None:
        super().__init__("Unable to delete subnet pool: Subnet pool has existing allocations.")


class DefaultSubnetPoolExists(InvalidInput):
    """There is one default pool a family."""

    def __init__(self) -> None:
        message = (
            "Default subnetpool for this IP family has already been set. Only one default may "
            "exist per IP family"
        )
        super().__init__(f"Invalid input for operation: {message}.", type="InvalidInput")


class EmptySubnetPoolPrefixList(BadRequest):
    """A pool of nothing."""

    def __init__(self) -> None:
        super().__init__("Empty subnet pool prefix list.")


class PrefixVersionMismatch(BadRequest):
    """A pool is of one family."""

    def __init__(self) -> None:
        super().__init__("Cannot mix IPv4 and IPv6 prefixes in a subnet pool.")


class IllegalSubnetPoolPrefixBounds(BadRequest):
    """Lengths that contradict each other, or the family."""

    def __init__(self, what: str, length: int, limit: str, bound: int) -> None:
        super().__init__(f"Illegal prefix bounds: {what}={length}, {limit}={bound}.")


class IllegalSubnetPoolPrefixUpdate(BadRequest):
    """A change that would take prefixes from subnets, or from the pool."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Illegal update to prefixes: {why}.")


class IllegalSubnetPoolUpdate(BadRequest):
    """A change that is the scope's owner's to make."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Illegal subnetpool update : {why}.")


class AddressScopePrefixConflict(Conflict):
    """Another pool of the scope has some of the addresses."""

    def __init__(self) -> None:
        super().__init__(
            "Failed to associate address scope: subnetpools within an address scope must have "
            "unique prefixes."
        )


class IllegalSubnetPoolIpVersionAssociationToAddressScope(BadRequest):
    """A scope is of one family."""

    def __init__(self, pool_id: str, scope_id: str, version: int) -> None:
        super().__init__(
            f"Illegal subnetpool association: subnetpool {pool_id} cannot associate with address "
            f"scope {scope_id} because subnetpool ip_version is not {version}."
        )


class ScopeNotShared(InvalidInput):
    """Who is to use a pool must be able to use its scope."""

    def __init__(self, pool_id: str, target: str, scope_id: str) -> None:
        super().__init__(
            f"Invalid input for operation: subnet pool {pool_id} cannot be shared with project "
            f"{target}, which has no access to its address scope {scope_id}.",
            type="InvalidInput",
        )


class SubnetPoolQuotaExceeded(Conflict):
    """The project has as much of the pool as it may."""

    def __init__(self) -> None:
        super().__init__("Per-tenant subnet pool prefix quota exceeded.")


class SubnetAllocationError(Conflict):
    """The pool does not have it."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Failed to allocate subnet: {why}.")


class MinPrefixSubnetAllocationError(BadRequest):
    """More than the pool gives at once."""

    def __init__(self, length: int, bound: int) -> None:
        super().__init__(
            f"Unable to allocate subnet with prefix length {length}, minimum allowed prefix is "
            f"{bound}."
        )


class MaxPrefixSubnetAllocationError(BadRequest):
    """Less than the pool gives at once."""

    def __init__(self, length: int, bound: int) -> None:
        super().__init__(
            f"Unable to allocate subnet with prefix length {length}, maximum allowed prefix is "
            f"{bound}."
        )
