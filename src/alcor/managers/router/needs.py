"""What the router manager needs of others: a store with transactions, and its peers."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Raw

from alcor.contracts.flavors import FlavorPeer
from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import NetworkPeer, NodePeer, SubnetPeer
from alcor.contracts.qos import QosPolicyPeer
from alcor.contracts.resources import ListQuery
from alcor.contracts.routing import FloatingIpPeer, Path, PathRequest
from alcor.contracts.sharing import ReachPeer
from alcor.contracts.subnetpools import SubnetPoolPeer
from alcor.intent import store
from alcor.managers.router.model.attachments import Attachment
from alcor.managers.router.model.conntrack_helper import ConntrackHelper, HeldHelper
from alcor.managers.router.model.router import Router
from alcor.runtime.managing.settling import Notes

__all__ = [
    "FlavorPeer",
    "FloatingIpPeer",
    "HeldPortPeer",
    "NetworkPeer",
    "NodePeer",
    "Note",
    "Peers",
    "ReachPeer",
    "Store",
    "SubnetPeer",
    "SubnetPoolPeer",
    "Transaction",
    "Undo",
]


class Peers(NamedTuple):
    """Whom the use cases call."""

    networks: NetworkPeer
    reach: ReachPeer
    subnets: SubnetPeer
    ports: HeldPortPeer
    floating_ips: FloatingIpPeer
    flavors: FlavorPeer
    pools: SubnetPoolPeer
    nodes: NodePeer
    policies: QosPolicyPeer


class Undo(StrEnum):
    """What is to be done about a port when what was begun with it is not finished."""

    DROP = "drop"  # delete it, and let it never be made
    GIVE_BACK = "give_back"  # let go of a client's port
    LIFT = "lift"  # take back its fence at the floating IPs
    REFRESH = "refresh"  # its addresses may have changed: look again


class Note(NamedTuple):
    """Something was begun with a port, saved before it was begun."""

    port_id: str
    router_id: str
    undo: Undo


class Transaction(Notes[Note], Protocol):
    """What can be read and saved within one transaction of the store.

    `project` limits what is seen to one project; None sees all. What is saved is told to the
    intent log in the same transaction.
    """

    def sequence(self) -> int:
        """Of the last change saved."""
        ...

    def page(self, query: ListQuery, project: str | None) -> list[Raw]: ...

    def router(self, id_: str, project: str | None) -> Router:
        """`RouterNotFound` when it is not there, or not theirs."""
        ...

    def attachments(self, router_id: str) -> list[Attachment]:
        """The ports that a router holds."""
        ...

    def routers_to(self, network_id: str) -> list[str]:
        """The routers with a gateway on the network, in order."""
        ...

    def networks_of_bare_gateways(self) -> set[str]:
        """The networks on which a gateway has no address."""
        ...

    def attach(self, attachment: Attachment) -> None:
        """Add a port, or change its places; save the router afterwards."""
        ...

    def detach(self, port_id: str) -> None: ...

    def check_policy(self, id_: str | None, project: str | None) -> None:
        """`QosPolicyNotFound` when it has gone since it was asked for, or was taken from them.

        None of a project: whoever asks sees all.
        """
        ...

    def insert(self, routers: Sequence[Router]) -> list[Raw]:
        """After their gateways have been attached."""
        ...

    def save(self, router: Router) -> Raw: ...

    def document(self, router: Router) -> Raw: ...

    def remove(self, router_id: str) -> None:
        """The router, all that it was attached to, and its conntrack helpers."""
        ...

    def paths(self, request: PathRequest) -> list[Path]: ...

    def find(self, ids: Sequence[str]) -> list[Router]:
        """Those of the routers that are there."""
        ...

    def helper_page(self, query: ListQuery) -> list[Raw]: ...

    def helper(self, id_: str, project: str | None) -> HeldHelper:
        """`ConntrackHelperNotFound` when it is not there, or not theirs."""
        ...

    def helpers_of(self, router_id: str) -> list[ConntrackHelper]:
        """A router's conntrack helpers."""
        ...

    def insert_helper(self, held: HeldHelper) -> Raw:
        """Save its router afterwards."""
        ...

    def save_helper(self, held: HeldHelper) -> Raw:
        """Save its router afterwards."""
        ...

    def remove_helper(self, id_: str) -> None: ...

    def fence_flavors(self, flavor_ids: Sequence[str]) -> list[str]:
        """Let no router have these flavors from now on, save those that some have: the answer."""
        ...

    def lift_flavors(self, flavor_ids: Sequence[str]) -> None:
        """Let routers have these flavors again."""
        ...


Store = store.Store[Transaction]
