"""What the QoS manager needs of others: a store with transactions, and those who use policies."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Raw

from alcor.contracts.qos import PolicyUserPeer
from alcor.contracts.resources import ListQuery
from alcor.intent import store
from alcor.managers.qos.model.policy import QosPolicy
from alcor.runtime.tables.sharing import Viewer

__all__ = ["PolicyUserPeer", "Store", "Transaction"]


class Transaction(Protocol):
    """What can be read and saved within one transaction of the store.

    `project` limits what is there to its own; None: all is there. What may be used is wider: what
    is shared with it too. Whatever is saved is told to the intent log in the same transaction.
    """

    def sequence(self) -> int:
        """Of the last change saved."""
        ...

    def policy(self, id_: str, project: str | None) -> QosPolicy: ...

    def usable(self, ids: Sequence[str], project: str | None) -> list[QosPolicy]:
        """Those that exist and may be used, without those that are being deleted."""
        ...

    def default_of(self, project: str) -> QosPolicy | None: ...

    def policy_of_rule(self, rule_id: str) -> str:
        """The id of the policy that has the rule; empty: there is no such rule."""
        ...

    def visible(self, viewer: Viewer) -> list[QosPolicy]:
        """All that the viewer sees."""
        ...

    def insert(self, policies: Sequence[QosPolicy]) -> list[Raw]:
        """Refuses ids that are taken, and a second default of a project."""
        ...

    def save(self, policy: QosPolicy) -> Raw:
        """With its rules, and whether it is shared with all; refuses as `insert` does."""
        ...

    def remove(self, id_: str) -> None: ...

    def work_on(self, id_: str) -> str:
        """What was begun with the policy and is not finished; empty: nothing."""
        ...

    def set_work(self, id_: str, work: str) -> None: ...

    def works(self) -> list[tuple[str, str]]:
        """Every policy with which something was begun, and what."""
        ...

    def page(self, query: ListQuery, viewer: Viewer) -> list[Raw]: ...

    def share(self, id_: str, new_id: str) -> None:
        """Let everybody use it by a sharing policy of this id; (empty) by none any more."""
        ...


Store = store.Store[Transaction]
