"""What the security group manager needs of others: a store with transactions, and the ports."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Raw

from alcor.contracts.peers import GroupMemberPeer
from alcor.contracts.resources import ListQuery
from alcor.intent import store
from alcor.managers.security_group.model.address_group import AddressGroup
from alcor.managers.security_group.model.group import Group
from alcor.managers.security_group.model.rule import Rule
from alcor.managers.security_group.model.template import Template
from alcor.runtime.tables.sharing import Viewer

__all__ = ["GroupMemberPeer", "Limits", "Store", "Transaction"]


class Limits(NamedTuple):
    """What this region allows."""

    rules_per_group_max: int
    addresses_per_group_max: int  # of an address group


class Transaction(Protocol):
    """What can be read and saved within one transaction of the store.

    `project` limits what is seen to one project; None sees all. What is not seen is refused as
    not found. Whatever is saved is told to the intent log in the same transaction.
    """

    def sequence(self) -> int:
        """Of the last change saved."""
        ...

    def check_quota(self, kind: str, projects: Iterable[str]) -> None:
        """Refuse, after inserting, what has made one of these exceed its limit."""
        ...

    def group(self, id_: str, project: str | None) -> Group: ...

    def groups(self, ids: Sequence[str], project: str | None) -> list[Group]:
        """Those that exist, also shared ones, without those that are being deleted."""
        ...

    def default_of(self, project: str) -> Group | None: ...

    def insert_groups(self, groups: Sequence[Group]) -> None: ...

    def save_group(self, group: Group) -> None: ...

    def show_group(self, group: Group) -> None:
        """Change the document only: what the intent log is told stays as it is."""
        ...

    def remove_group(self, id_: str, now: str) -> None:
        """With its rules, and with every rule and template that names it as remote."""
        ...

    def work_on(self, id_: str) -> str:
        """What was begun with the group and is not finished; empty: nothing."""
        ...

    def set_work(self, id_: str, work: str) -> None: ...

    def works(self) -> list[tuple[str, str]]:
        """Every group with which something was begun, and what."""
        ...

    def group_documents(self, ids: Sequence[str]) -> list[Raw]:
        """The groups as clients see them, with their rules."""
        ...

    def group_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]: ...

    def rule(self, id_: str, project: str | None) -> Rule: ...

    def rule_count(self, group_id: str) -> int: ...

    def rule_ids(self, group_id: str, keys: Sequence[str]) -> list[str]:
        """The ids of the group's rules that have one of these keys."""
        ...

    def insert_rules(self, rules: Sequence[Rule], owner: str) -> list[Raw]:
        """`owner` is the project of the rules' group: it sees them."""
        ...

    def save_rule(self, rule: Rule, owner: str) -> Raw: ...

    def remove_rule(self, id_: str) -> None: ...

    def rule_page(self, query: ListQuery, project: str | None) -> list[Raw]: ...

    def templates(self) -> list[Template]: ...

    def insert_templates(self, templates: Sequence[Template]) -> list[Raw]: ...

    def remove_template(self, id_: str) -> None: ...

    def template_page(self, query: ListQuery) -> list[Raw]: ...

    def address_group(self, id_: str, project: str | None) -> AddressGroup: ...

    def usable_address_group(self, id_: str, project: str | None) -> AddressGroup:
        """As `address_group`, or one that is shared with the project."""
        ...

    def address_group_is_named(self, id_: str) -> bool:
        """Whether a rule or a template names it."""
        ...

    def insert_address_groups(self, groups: Sequence[AddressGroup]) -> list[Raw]: ...

    def save_address_group(self, group: AddressGroup) -> Raw: ...

    def remove_address_group(self, id_: str) -> None: ...

    def address_group_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]: ...


Store = store.Store[Transaction]
