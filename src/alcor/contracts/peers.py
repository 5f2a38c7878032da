"""What managers ask of each other. Every verb takes many at once and may be repeated.

Fences: "no children of these parents now, and none from now on". Whoever holds children answers
which parents have some; the others stay fenced until lifted (or for ever, once the parent is gone).
"""

from typing import Protocol

import msgspec

from alcor.intent.records import (
    AddressRange,
    GroupRecord,
    NetworkRecord,
    NodeRecord,
    SubnetRecord,
)


class Ids(msgspec.Struct, frozen=True):
    ids: list[str]


class Done(msgspec.Struct, frozen=True):
    """It holds now, whether this call or an earlier one made it so."""


class Counts(msgspec.Struct, frozen=True):
    count_by_id: dict[str, int]


class InUse(msgspec.Struct, frozen=True):
    """Of the ids asked for, those that could not be fenced because something uses them; some of
    the ids of what does, where that is told."""

    ids: list[str]
    by: list[str] = []


class Networks(msgspec.Struct, frozen=True):
    networks: list[NetworkRecord]


class Subnets(msgspec.Struct, frozen=True):
    subnets: list[SubnetRecord]


class Nodes(msgspec.Struct, frozen=True):
    nodes: list[NodeRecord]


class NetworkPeer(Protocol):
    """The network manager."""

    async def networks(self, request: Ids) -> Networks:
        """Those of the ids that exist."""
        ...


class SubnetSequence(msgspec.Struct, frozen=True):
    sequence: int  # of the subnet manager's changes


class SubnetShower(Protocol):
    """Who shows clients the subnets that a network has: the network manager."""

    async def subnets_shown(self, request: SubnetSequence) -> Done:
        """Return when networks show their subnets as of this change, or after a second: news that
        are late hold no answer up."""
        ...


class NetworkSubnets(msgspec.Struct, frozen=True):
    network_id: str
    project_id: str
    trace: str = ""


class SegmentOf(msgspec.Struct, frozen=True):
    """A further segment of a network."""

    network_id: str
    id: str


class SubnetPeer(Protocol):
    """The subnet manager."""

    async def subnets_of(self, request: Ids) -> Subnets:
        """The subnets of these networks."""
        ...

    async def subnets(self, request: Ids) -> Subnets:
        """Those of the ids that exist."""
        ...

    async def drop_network(self, request: NetworkSubnets) -> Done:
        """The network is going: fence it against new subnets and delete those that it has.

        Call it only when the network is fenced against ports. Repeating it does no harm.
        """
        ...

    async def fence_segment(self, request: SegmentOf) -> InUse:
        """No subnet of this segment now, and none from now on, unless it is answered."""
        ...

    async def lift(self, request: Ids) -> Done:
        """Take back the fences on these networks and segments."""
        ...


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """What the IP manager must know of a subnet: which addresses it may choose, which it must not
    choose (the gateway's), and which it may lease when asked by name (any of the CIDR)."""

    subnet_id: str
    network_id: str
    cidr: str
    ranges: tuple[AddressRange, ...]
    reserved: tuple[str, ...] = ()


class Pools(msgspec.Struct, frozen=True):
    pools: list[Pool]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One address for each of the owners, of the pools of the first of these subnets that has one
    left (IPv4 subnets of a network, in order of age); or this address, for a single owner."""

    owners: tuple[str, ...]  # ports' ids
    subnet_ids: tuple[str, ...]
    address: str = ""


class LeaseGroup(msgspec.Struct, frozen=True):
    """Wanted together: all leased, or none.

    For each network in `known`, only if those are all the subnets that it has (refused as
    SubnetsChanged): the IP manager knows of a subnet before anybody can, so whoever chooses among
    a network's subnets from a copy finds out here that the copy is old.
    """

    wanted: list[Wanted]
    known: dict[str, tuple[str, ...]] = {}


class LeaseRequest(msgspec.Struct, frozen=True):
    """Groups are independent of each other: one may be refused while the others are leased."""

    groups: list[LeaseGroup]


class Lease(msgspec.Struct, frozen=True):
    owner: str
    subnet_id: str
    address: str


class LeaseRefusal(msgspec.Struct, frozen=True):
    """Why a group was refused: a Refusal's type, kind and message."""

    type: str
    kind: str
    message: str


class LeaseReply(msgspec.Struct, frozen=True):
    """Per group, in order: its leases in the order of `wanted` and owners, or why not."""

    groups: list[list[Lease] | LeaseRefusal]


class ReleaseRequest(msgspec.Struct, frozen=True):
    """Give back leases: these, or (address empty) all that the owner holds."""

    leases: list[Lease]


class Holding(msgspec.Struct, frozen=True):
    """All that an owner shall hold."""

    owner: str
    leases: list[Lease]


class Holdings(msgspec.Struct, frozen=True):
    holdings: list[Holding]


class IpPeer(Protocol):
    """The private IP manager."""

    async def save_pools(self, request: Pools) -> Done:
        """Create or change what may be leased of these subnets; leases that exist stay."""
        ...

    async def drop_pools(self, request: Ids) -> Done:
        """The subnets are gone, and so is every lease of theirs."""
        ...

    async def lease(self, request: LeaseRequest) -> LeaseReply:
        """Lease addresses; what the owner holds already of what it wants it gets again."""
        ...

    async def release(self, request: ReleaseRequest) -> Done:
        """Free leases; one that is not held is no error."""
        ...

    async def used(self, request: Ids) -> Counts:
        """How many addresses of the pools of these subnets are leased; those named outside of the
        pools are not counted, and subnets that are not there are left out."""
        ...

    async def keep(self, request: Holdings) -> Done:
        """Free what these owners hold beyond what is named here; nothing new is leased."""
        ...


class BlockRequest(msgspec.Struct, frozen=True):
    owner: str  # who will hand out the MACs of the block
    after: int = 0  # the block that the owner has used up; 0: none yet


class Block(msgspec.Struct, frozen=True):
    """`count` MAC addresses from `first` on, for the owner alone until the range has come round."""

    number: int
    first: int
    count: int


class MacPeer(Protocol):
    """The MAC manager."""

    async def block(self, request: BlockRequest) -> Block:
        """The owner's block after `after`; asking again gives the same one."""
        ...


class Owners(msgspec.Struct, frozen=True):
    """Ids that hold leases."""

    ids: list[str]


class PortPeer(Protocol):
    """The port manager."""

    async def fence_networks(self, request: Ids) -> InUse:
        """No port on these networks now, and none from now on, save on those answered."""
        ...

    async def fence_subnets(self, request: Ids) -> InUse:
        """No port has addresses of these subnets, nor gets any, save of those answered."""
        ...

    async def vacate_subnets(self, request: Ids) -> InUse:
        """Fence subnets of which ports have addresses by themselves, and take these from the ports.

        Routers keep theirs: a subnet that one has an interface on is in use.
        """
        ...

    async def lift(self, request: Ids) -> Done:
        """Ports may be on these networks and subnets again; no error when they were not fenced."""
        ...

    async def addresses_held(self, request: Ids) -> Counts:
        """How many addresses of these subnets ports have; none is left out."""
        ...

    async def bound_to(self, request: Ids) -> Counts:
        """How many ports are bound to each of these hosts, or are to be; none is left out."""
        ...

    async def fence_owners(self, request: Owners) -> Owners:
        """Of these port ids, those that are not and now never will be: free their leases."""
        ...


class ZoneHints(msgspec.Struct, frozen=True):
    """Availability zones that somebody asks for."""

    names: tuple[str, ...]


class NodePeer(Protocol):
    """The node manager."""

    async def check_zones(self, request: ZoneHints) -> Done:
        """A refusal when one of these zones is not there."""
        ...

    async def nodes(self, request: Ids) -> Nodes:
        """Those of the hosts that are known."""
        ...

    async def silent(self, request: Ids) -> Ids:
        """Those of the hosts of which nothing was heard for too long, though there was time."""
        ...


class ProjectUsage(msgspec.Struct, frozen=True):
    project_id: str


class Usage(msgspec.Struct, frozen=True):
    """How many of each kind a project has; a kind of which it never had one is left out."""

    used: dict[str, int]


class UsagePeer(Protocol):
    """Whoever counts what projects use: the manager of each kind."""

    async def usage(self, request: ProjectUsage) -> Usage:
        """What the project has now of the kinds that are counted there."""
        ...


class GroupsRequest(msgspec.Struct, frozen=True):
    """Security groups by id, of those that a project may use; the empty project may use all."""

    ids: list[str]
    project_id: str


class Projects(msgspec.Struct, frozen=True):
    ids: list[str]


class Groups(msgspec.Struct, frozen=True):
    groups: list[GroupRecord]


class SecurityGroupPeer(Protocol):
    """The security group manager."""

    async def groups(self, request: GroupsRequest) -> Groups:
        """Those of the ids that exist and that the project may put on its ports."""
        ...

    async def defaults_of(self, request: Projects) -> Groups:
        """The default group of each project, in order; one that is missing is made."""
        ...


class AclsRequest(msgspec.Struct, frozen=True):
    """Network ACLs by id, of those of a project; the empty project may see all."""

    ids: list[str]
    project_id: str


class Acls(msgspec.Struct, frozen=True):
    ids: list[str]


class NetworkAclPeer(Protocol):
    """The network ACL manager."""

    async def living_acls(self, request: AclsRequest) -> Acls:
        """Those of the ids that exist and that the project may see."""
        ...


class GroupMemberPeer(Protocol):
    """Whoever puts security groups on ports (the port manager)."""

    async def fence_groups(self, request: Ids) -> InUse:
        """No port in these groups now, and none from now on."""
        ...

    async def lift_groups(self, request: Ids) -> Done:
        """Ports may be in these groups again; no error when they were not fenced."""
        ...
