"""What the network ACL manager needs of others: a store with transactions, networks, subnets."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Raw

from alcor.contracts.peers import NetworkPeer, SubnetPeer
from alcor.contracts.resources import ListQuery
from alcor.intent import store
from alcor.managers.network_acl.model.acl import NetworkAcl
from alcor.managers.network_acl.model.rule import AclRule

__all__ = ["NetworkPeer", "Store", "SubnetPeer", "Transaction"]


class Transaction(Protocol):
    """What can be read and saved within one transaction of the store.

    `project` limits what is seen to one project; None sees all. What is not seen is refused as
    not found. Whatever is saved is told to the intent log in the same transaction.
    """

    def sequence(self) -> int:
        """Of the last change saved."""
        ...

    def acl(self, id_: str, project: str | None) -> NetworkAcl: ...

    def insert_acls(self, acls: Sequence[NetworkAcl]) -> list[Raw]:
        """`SubnetHasNetworkAcl` when a subnet has another one."""
        ...

    def save_acl(self, acl: NetworkAcl) -> Raw: ...

    def show_acl(self, acl: NetworkAcl) -> None:
        """Change the document only: what the intent log is told stays as it is."""
        ...

    def remove_acl(self, id_: str) -> None:
        """With its rules."""
        ...

    def acl_page(self, query: ListQuery, project: str | None) -> list[Raw]: ...

    def acls_of_network(self, network_id: str) -> list[NetworkAcl]: ...

    def acl_of_subnet(self, subnet_id: str) -> NetworkAcl | None: ...

    def network_ids(self) -> set[str]:
        """The networks that have ACLs."""
        ...

    def rule(self, id_: str, project: str | None) -> AclRule: ...

    def rule_count(self, acl_id: str) -> int: ...

    def insert_rules(self, rules: Sequence[AclRule]) -> list[Raw]:
        """`NetworkAclRuleNumberInUse` when a number is taken."""
        ...

    def save_rule(self, rule: AclRule) -> Raw: ...

    def remove_rule(self, id_: str) -> None: ...

    def rule_page(self, query: ListQuery, project: str | None) -> list[Raw]: ...


Store = store.Store[Transaction]
