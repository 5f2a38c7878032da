"""What the host knows of security groups, arranged as flows need it.

Pure. Every change names the units that it affects, and no more than it must: a member its own
prefixes, a rule its services, a new grant its ports and the prefixes of its remote.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from alcor.agent.model.filters.grants import (
    ANYBODY,
    ANYTHING,
    Grant,
    GrantIds,
    Remote,
    Service,
    Way,
    grant_of,
    services_of,
)
from alcor.goal_state.entries import Addresses, Group, Member, Rule
from alcor.values.addresses import Prefix

One = TypeVar("One", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)

Entry = Group | Rule | Member | Addresses


@dataclass(slots=True)
class Touched:
    """Whose flows must be made again."""

    grants: set[Grant] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)  # the flows of their ports
    prefixes: set[Prefix] = field(default_factory=set)
    services: set[tuple[Way, Service]] = field(default_factory=set)


class _Pairs(Generic[One, Other]):
    """How often each pair was added; the pairs of one thing are found at once."""

    def __init__(self) -> None:
        self._counts: dict[One, dict[Other, int]] = {}

    def add(self, one: One, other: Other) -> bool:
        """Count the pair once more; whether it is new."""
        counts = self._counts.setdefault(one, {})
        counts[other] = counts.get(other, 0) + 1
        return counts[other] == 1

    def remove(self, one: One, other: Other) -> bool:
        """Count the pair once less; whether it is gone."""
        counts = self._counts[one]
        counts[other] -= 1
        if counts[other]:
            return False
        del counts[other]
        if not counts:
            del self._counts[one]
        return True

    def of(self, one: One) -> Mapping[Other, int]:
        """What is paired with it, and how often."""
        return self._counts.get(one, {})

    def __iter__(self) -> Iterator[One]:
        return iter(self._counts)


class Firewall:
    """The groups of the host's ports, their rules, and the members of those rules' remotes."""

    def __init__(self, ids: GrantIds | None = None) -> None:
        self.ids = ids or GrantIds()
        self._groups: dict[str, Group] = {}
        self._rules: dict[tuple[str, str], Rule] = {}  # by group and id
        self._prefixes: dict[tuple[Remote, str, str], frozenset[Prefix]] = {}  # of one entry
        self._grants_by_group: _Pairs[str, Grant] = _Pairs()
        self._services_by_grant: _Pairs[Grant, Service] = _Pairs()
        self._grants_by_service: _Pairs[tuple[Way, Service], Grant] = _Pairs()
        self._grants_by_remote: _Pairs[Remote, Grant] = _Pairs()
        self._remotes_by_prefix: _Pairs[Prefix, Remote] = _Pairs()
        self._prefixes_by_remote: _Pairs[Remote, Prefix] = _Pairs()

    def put(self, entry: Entry) -> Touched:
        """Hold an entry in place of what its key held before."""
        touched = Touched()
        match entry:
            case Group():
                was_stateless = self._is_stateless(entry.id)
                self._groups[entry.id] = entry
                if was_stateless == entry.stateful:
                    self._touch_group(entry.id, touched)
            case Rule():
                self._replace_rule(entry.group_id, entry.id, entry, touched)
            case Member():
                key = entry.group_id, entry.port_id
                self._replace_prefixes(
                    Remote(group_id=entry.group_id), key, entry.prefixes, touched
                )
            case Addresses():
                remote = Remote(addresses_id=entry.id)
                self._replace_prefixes(remote, (entry.id, ""), entry.prefixes, touched)
        return touched

    def remove(self, entry: Entry) -> Touched:
        """Forget what the key of `entry` holds."""
        touched = Touched()
        match entry:
            case Group():
                was_stateless = self._is_stateless(entry.id)
                self._groups.pop(entry.id, None)
                if was_stateless:
                    self._touch_group(entry.id, touched)
            case Rule():
                self._replace_rule(entry.group_id, entry.id, None, touched)
            case Member():
                remote, key = Remote(group_id=entry.group_id), (entry.group_id, entry.port_id)
                self._replace_prefixes(remote, key, (), touched)
            case Addresses():
                remote = Remote(addresses_id=entry.id)
                self._replace_prefixes(remote, (entry.id, ""), (), touched)
        return touched

    # What flows are made of

    def is_stateless(self, group_ids: Iterable[str]) -> bool:
        """Whether nothing is tracked for a port of these groups: some, and all stateless."""
        stateful = [not self._is_stateless(each) for each in group_ids]
        return bool(stateful) and not any(stateful)

    def grants_of_groups(self, group_ids: Iterable[str], way: Way) -> list[Grant]:
        """The grants of any of the groups, one way."""
        return self._sorted(
            grant
            for group_id in set(group_ids)
            for grant in self._grants_by_group.of(group_id)
            if grant.way == way
        )

    def grants_of_prefix(self, prefix: Prefix) -> list[Grant]:
        """The grants about a remote that the prefix is part of."""
        return self._sorted(
            grant
            for remote in self._remotes_by_prefix.of(prefix)
            for grant in self._grants_by_remote.of(remote)
            if grant.way.version == prefix.version
        )

    def grants_of_service(self, way: Way, service: Service) -> list[Grant]:
        """The grants that the service is part of."""
        return self._sorted(self._grants_by_service.of((way, service)))

    def grants_of_group(self, group_id: str) -> Iterable[Grant]:
        """All grants of a group."""
        return self._grants_by_group.of(group_id)

    def services_of(self, grant: Grant) -> Iterable[Service]:
        """What the grant offers."""
        return self._services_by_grant.of(grant)

    def prefixes_of(self, remote: Remote) -> Iterable[Prefix]:
        """Where a remote is, unless it is anybody."""
        return self._prefixes_by_remote.of(remote)

    def is_open(self, grant: Grant) -> bool:
        """Whether the grant lets everything pass, from or to anybody."""
        return grant.remote == ANYBODY and ANYTHING in self._services_by_grant.of(grant)

    def is_of_stateless(self, grant: Grant) -> bool:
        """Whether the grant's group is stateless."""
        return self._is_stateless(grant.group_id)

    def holds(self, grant: Grant) -> bool:
        """Whether a rule of the grant is there."""
        return grant in self._grants_by_group.of(grant.group_id)

    def everything(self) -> Touched:
        """All that flows are made for."""
        touched = Touched()
        for group_id in self._grants_by_group:
            self._touch_group(group_id, touched)
        touched.prefixes.update(self._remotes_by_prefix)
        return touched

    def _is_stateless(self, group_id: str) -> bool:
        group = self._groups.get(group_id)
        return group is not None and not group.stateful

    def _sorted(self, grants: Iterable[Grant]) -> list[Grant]:
        found = set(grants)
        return sorted(found, key=self.ids.__getitem__) if len(found) > 1 else list(found)

    # Changes

    def _replace_rule(
        self, group_id: str, rule_id: str, rule: Rule | None, touched: Touched
    ) -> None:
        before = self._rules.pop((group_id, rule_id), None)
        if before is not None:
            self._drop_rule(before, touched)
        if rule is not None:
            self._rules[group_id, rule_id] = rule
            self._add_rule(rule, touched)

    def _replace_prefixes(
        self, remote: Remote, key: tuple[str, str], prefixes: Iterable[Prefix], touched: Touched
    ) -> None:
        before, after = self._prefixes.pop((remote, *key), frozenset()), frozenset(prefixes)
        if after:
            self._prefixes[remote, *key] = after
        for prefix in after - before:
            self._pair(prefix, remote, touched)
        for prefix in before - after:
            self._part(prefix, remote, touched)

    def _add_rule(self, rule: Rule, touched: Touched) -> None:
        grant = grant_of(rule)
        if self._grants_by_group.add(rule.group_id, grant):
            self._renumber(self.ids.add(grant), touched)
            self._grants_by_remote.add(grant.remote, grant)
            if grant.remote.prefix is not None:
                self._pair(grant.remote.prefix, grant.remote, touched)
            self._touch_grant(grant, touched)
        for service in services_of(rule):
            if self._services_by_grant.add(grant, service):
                self._grants_by_service.add((grant.way, service), grant)
                self._touch_service(grant, service, touched)

    def _drop_rule(self, rule: Rule, touched: Touched) -> None:
        grant = grant_of(rule)
        for service in services_of(rule):
            if self._services_by_grant.remove(grant, service):
                self._grants_by_service.remove((grant.way, service), grant)
                self._touch_service(grant, service, touched)
        if self._grants_by_group.remove(rule.group_id, grant):
            self._touch_grant(grant, touched)
            if grant.remote.prefix is not None:
                self._part(grant.remote.prefix, grant.remote, touched)
            self._grants_by_remote.remove(grant.remote, grant)
            self._renumber(self.ids.drop(grant), touched)

    def _renumber(self, grants: Iterable[Grant], touched: Touched) -> None:
        for grant in grants:
            self._touch_grant(grant, touched)
            for service in self._services_by_grant.of(grant):
                self._touch_service(grant, service, touched)

    def _pair(self, prefix: Prefix, remote: Remote, touched: Touched) -> None:
        self._prefixes_by_remote.add(remote, prefix)
        if self._remotes_by_prefix.add(prefix, remote):
            touched.prefixes.add(prefix)

    def _part(self, prefix: Prefix, remote: Remote, touched: Touched) -> None:
        self._prefixes_by_remote.remove(remote, prefix)
        if self._remotes_by_prefix.remove(prefix, remote):
            touched.prefixes.add(prefix)

    def _touch_group(self, group_id: str, touched: Touched) -> None:
        touched.groups.add(group_id)
        self._renumber(self._grants_by_group.of(group_id), touched)

    def _touch_grant(self, grant: Grant, touched: Touched) -> None:
        touched.grants.add(grant)
        touched.groups.add(grant.group_id)
        touched.prefixes.update(
            prefix
            for prefix in self._prefixes_by_remote.of(grant.remote)
            if prefix.version == grant.way.version
        )

    def _touch_service(self, grant: Grant, service: Service, touched: Touched) -> None:
        touched.services.add((grant.way, service))
        if service == ANYTHING and grant.remote == ANYBODY:
            touched.groups.add(grant.group_id)
