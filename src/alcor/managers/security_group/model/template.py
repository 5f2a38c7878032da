"""The rules that every new security group begins with. Pure.

Source: Neutron, extension "security-groups-default-rules"; the first four are its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.managers.security_group.model.group import Group
from alcor.managers.security_group.model.traffic import Traffic
from alcor.values.errors import Conflict, NotFound

PARENT = "PARENT"  # as remote group: the new group itself


class DefaultSecurityGroupRuleNotFound(NotFound):
    """There is no such template."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Default Security Group rule {id_[:255]} does not exist")


class DefaultSecurityGroupRuleExists(Conflict):
    """The same rule is in the template of the same kind of groups already."""

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Default Security group rule already exists. Rule id is {rule_id}.")


class DuplicateDefaultSgRuleInPost(Conflict):
    """The same rule twice in one request."""

    def __init__(self) -> None:
        super().__init__("Duplicate Default Security Group Rule in POST.")


class TemplateIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the default security group rule. Its id is in use.")


class Template(Traffic, frozen=True, kw_only=True):
    """A template as clients see it: of the default group, of every other group, or both."""

    id: str
    description: str = ""
    used_in_default_sg: bool
    used_in_non_default_sg: bool

    @property
    def uses(self) -> frozenset[str]:
        """The kinds of groups that begin with the rule."""
        kinds = {"default": self.used_in_default_sg, "other": self.used_in_non_default_sg}
        return frozenset(kind for kind, used in kinds.items() if used)


def template(traffic: Traffic, values: Mapping[str, Any], id_: str) -> Template:
    """The template that a checked body asks for."""
    return Template(
        **msgspec.structs.asdict(traffic),
        id=id_,
        description=values["description"],
        used_in_default_sg=values["used_in_default_sg"],
        used_in_non_default_sg=values["used_in_non_default_sg"],
    )


def traffic_for(group: Group, templates: Sequence[Template]) -> list[Traffic]:
    """The packets of the rules that `group` begins with."""
    kind = "default" if group.is_default else "other"
    return [_of(each, group) for each in templates if kind in each.uses]


def check_new(wanted: Sequence[Template], held: Sequence[Template]) -> None:
    """Each kind of group has a rule once."""
    for number, new in enumerate(wanted):
        if any(_clash(new, other) for other in wanted[:number]):
            raise DuplicateDefaultSgRuleInPost
        for other in held:
            if _clash(new, other):
                raise DefaultSecurityGroupRuleExists(other.id)


def _clash(one: Template, other: Template) -> bool:
    return one.key == other.key and not one.uses.isdisjoint(other.uses)


def _of(template: Template, group: Group) -> Traffic:
    values = {name: getattr(template, name) for name in Traffic.__struct_fields__}
    if template.remote_group_id == PARENT:
        values["remote_group_id"] = group.id
    return Traffic(**values)
