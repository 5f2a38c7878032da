"""What the elastic IP manager needs of others: a store with transactions, and its peers."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Raw

from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import NetworkPeer, SubnetPeer
from alcor.contracts.qos import QosPolicyPeer
from alcor.contracts.resources import ListQuery
from alcor.contracts.routing import RouterPeer
from alcor.contracts.sharing import ReachPeer
from alcor.contracts.subnetpools import SubnetPoolPeer
from alcor.intent import store
from alcor.managers.elastic_ip.model.floating_ip import Held
from alcor.managers.elastic_ip.model.ndp_proxy import NdpProxy
from alcor.managers.elastic_ip.model.port_forwarding import Forwarding
from alcor.runtime.managing.settling import Notes

__all__ = [
    "HeldPortPeer",
    "NetworkPeer",
    "Note",
    "Peers",
    "ReachPeer",
    "RouterPeer",
    "Store",
    "SubnetPeer",
    "SubnetPoolPeer",
    "Transaction",
]


class Peers(NamedTuple):
    """Whom the use cases call."""

    networks: NetworkPeer
    reach: ReachPeer
    subnets: SubnetPeer
    ports: HeldPortPeer
    routers: RouterPeer
    pools: SubnetPoolPeer
    policies: QosPolicyPeer


class Note(NamedTuple):
    """A port of a floating IP that is to be deleted, unless it is saved that it has it."""

    port_id: str
    floatingip_id: str


class Transaction(Notes[Note], Protocol):
    """What can be read and saved within one transaction of the store.

    `project` limits what is seen to one project; None sees all. What is not seen is refused as not
    found. What is saved is told to the intent log in the same transaction.
    """

    def sequence(self) -> int:
        """Of the last change saved."""
        ...

    def page(self, query: ListQuery, project: str | None) -> list[Raw]: ...

    def floating_ip(self, id_: str, project: str | None) -> Held: ...

    def insert(self, held: Sequence[Held]) -> None:
        """All or none; `FloatingIPPortAlreadyAssociated` and the quota's refusal."""
        ...

    def check_policy(self, id_: str | None, project: str | None) -> None:
        """`QosPolicyNotFound` when it has gone since it was asked for, or was taken from them.

        None of a project: whoever asks sees all.
        """
        ...

    def save(self, held: Held) -> None: ...

    def remove(self, id_: str) -> None: ...

    def documents(self, ids: Sequence[str]) -> list[Raw]: ...

    def unused_on(self, network_ids: Sequence[str]) -> list[Held]:
        """The floating IPs of these networks that no router translates."""
        ...

    def given_to(self, port_ids: Sequence[str]) -> list[Held]:
        """The floating IPs that are given to these ports."""
        ...

    def forwarding_page(self, query: ListQuery) -> list[Raw]: ...

    def forwarding(self, id_: str, project: str | None) -> Forwarding: ...

    def forwardings_of(self, floatingip_ids: Sequence[str]) -> list[Forwarding]: ...

    def forwardings_to(self, port_ids: Sequence[str]) -> list[Forwarding]:
        """Those to these internal ports."""
        ...

    def insert_forwarding(self, forwarding: Forwarding) -> Raw: ...

    def save_forwarding(self, forwarding: Forwarding) -> Raw: ...

    def remove_forwarding(self, id_: str) -> None: ...

    def internal_ports(self) -> set[str]:
        """All ports that floating IPs are given to, or forwarded to."""
        ...

    def hops_used(self, ids: Sequence[str]) -> set[str]:
        """Those of the hops that floating IPs or port forwardings go by."""
        ...

    def hops_proxied(self, ids: Sequence[str]) -> set[str]:
        """Those of the hops that NDP proxies go by."""
        ...

    def proxies_to(self, port_ids: Sequence[str]) -> list[NdpProxy]:
        """The NDP proxies for addresses of these ports."""
        ...

    def remove_proxy(self, id_: str) -> None: ...

    def fenced(self, ids: Sequence[str]) -> set[str]:
        """Those of the hops that nothing may go by any more."""
        ...

    def fence(self, ids: Iterable[str]) -> None: ...

    def lift(self, ids: Iterable[str]) -> None: ...


Store = store.Store[Transaction]
