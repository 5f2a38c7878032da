"""What the host knows of network ACLs. Pure."""

from collections.abc import Set

from alcor.goal_state.entries import AclRule, SubnetAcl

SubnetKey = tuple[str, str]  # network, subnet


class Acls:
    """Which ACL each subnet has, and the rules of each ACL."""

    def __init__(self) -> None:
        self._acl_by_subnet: dict[SubnetKey, str] = {}
        self._subnets_by_acl: dict[str, set[SubnetKey]] = {}
        self._rules_by_acl: dict[str, dict[str, AclRule]] = {}

    def put(self, entry: SubnetAcl | AclRule) -> Set[SubnetKey]:
        """Hold an entry; the subnets whose filter that changes."""
        if isinstance(entry, AclRule):
            self._rules_by_acl.setdefault(entry.acl_id, {})[entry.id] = entry
            return self._subnets_by_acl.get(entry.acl_id, set())
        self.remove(entry)
        key = entry.network_id, entry.subnet_id
        self._acl_by_subnet[key] = entry.acl_id
        self._subnets_by_acl.setdefault(entry.acl_id, set()).add(key)
        return {key}

    def remove(self, entry: SubnetAcl | AclRule) -> Set[SubnetKey]:
        """Forget what the entry's key holds; the subnets whose filter that changes."""
        if isinstance(entry, AclRule):
            rules = self._rules_by_acl.get(entry.acl_id, {})
            rules.pop(entry.id, None)
            if not rules:
                self._rules_by_acl.pop(entry.acl_id, None)
            return self._subnets_by_acl.get(entry.acl_id, set())
        key = entry.network_id, entry.subnet_id
        before = self._acl_by_subnet.pop(key, None)
        if before is not None:
            subnets = self._subnets_by_acl[before]
            subnets.discard(key)
            if not subnets:
                del self._subnets_by_acl[before]
        return {key}

    def subnets(self) -> Set[SubnetKey]:
        """Every subnet that has an ACL."""
        return self._acl_by_subnet.keys()

    def subnets_of(self, acl_id: str) -> Set[SubnetKey]:
        """The subnets that have this ACL."""
        return self._subnets_by_acl.get(acl_id, set())

    def acl_of(self, key: SubnetKey) -> str:
        """The ACL of a subnet; empty when it has none."""
        return self._acl_by_subnet.get(key, "")

    def rules_of(self, key: SubnetKey) -> list[AclRule] | None:
        """The rules that filter a subnet, in order; None when it has no ACL.

        Of two with one number, which only the time between two changes can show, the one that
        denies comes first.
        """
        acl_id = self._acl_by_subnet.get(key)
        if acl_id is None:
            return None
        rules = self._rules_by_acl.get(acl_id, {}).values()
        return sorted(rules, key=lambda rule: (rule.number, rule.allow, rule.id))
