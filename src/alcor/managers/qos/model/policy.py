"""QoS policies as clients see them, with their rules. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.managers.qos.model.refusals import QosRuleNotFound
from alcor.managers.qos.model.rule import Rule, check_beside
from alcor.resource.revisions import revised, touched
from alcor.values.qos import PLACED


class QosPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy (Neutron API reference v2, "QoS policies"); its rules in order of coming."""

    id: str
    name: str
    tenant_id: str
    project_id: str
    description: str = ""
    shared: bool = False
    is_default: bool = False
    rules: tuple[Rule, ...] = ()
    tags: tuple[str, ...] = ()
    revision_number: int = 1
    created_at: str
    updated_at: str

    def rule(self, id_: str, type_: str) -> Rule:
        """The rule of an id and a type; `QosRuleNotFound`."""
        for each in self.rules:
            if (each.id, each.type) == (id_, type_):
                return each
        raise QosRuleNotFound(id_, self.id)

    @property
    def has_minima(self) -> bool:
        """Whether machines are placed by a rule of its."""
        return any(each.type in PLACED for each in self.rules)


def policy(values: Mapping[str, Any], id_: str, now: str) -> QosPolicy:
    """The policy that a checked body asks for."""
    return QosPolicy(
        id=id_,
        name=values["name"],
        tenant_id=values["project_id"],
        project_id=values["project_id"],
        description=values["description"],
        shared=values["shared"],
        is_default=values["is_default"],
        created_at=now,
        updated_at=now,
    )


def changed(old: QosPolicy, changes: Mapping[str, Any], now: str) -> QosPolicy:
    """The policy after a checked PUT; the very same value when nothing is different."""
    wanted = dict(changes)
    if "tags" in wanted:
        wanted["tags"] = tuple(wanted["tags"])
    return revised(old, wanted, now)


def with_rule(old: QosPolicy, new: Rule, now: str) -> QosPolicy:
    """The policy with one more rule, or with a rule of its as it is now."""
    check_beside(new, old.rules)
    others = {each.id: each for each in old.rules}
    if others.get(new.id) == new:
        return old
    return touched(old, {"rules": tuple((others | {new.id: new}).values())}, now)


def without_rule(old: QosPolicy, id_: str, now: str) -> QosPolicy:
    """The policy without a rule that it has."""
    return touched(old, {"rules": tuple(e for e in old.rules if e.id != id_)}, now)
