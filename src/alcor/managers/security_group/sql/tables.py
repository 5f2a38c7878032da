"""The tables of this manager, and the rows that keep its values."""

import msgspec

from alcor.managers.security_group.model.address_group import AddressGroup
from alcor.managers.security_group.model.group import Group
from alcor.managers.security_group.model.rule import Rule
from alcor.managers.security_group.model.template import Template
from alcor.runtime.tables.resource_table import ResourceTable, Row

GROUPS = ResourceTable(
    "security_group",
    "SecurityGroup",
    ("project_id", "name", "is_default"),
    counted=True,
    tagged=True,
)
RULES = ResourceTable(
    "security_group_rule",
    "SecurityGroupRule",
    (
        "project_id",
        "security_group_id",
        "owner",
        "remote_group_id",
        "remote_address_group_id",
        "traffic_key",
    ),
    nullable=frozenset({"remote_group_id", "remote_address_group_id"}),
    counted=True,
)
TEMPLATES = ResourceTable(
    "default_security_group_rule",
    "DefaultSecurityGroupRule",
    ("remote_group_id", "remote_address_group_id"),
    nullable=frozenset({"remote_group_id", "remote_address_group_id"}),
)
ADDRESS_GROUPS = ResourceTable("address_group", "AddressGroup", ("project_id", "name"))

encode = msgspec.json.Encoder().encode
decode_group = msgspec.json.Decoder(Group).decode
decode_rule = msgspec.json.Decoder(Rule).decode
decode_template = msgspec.json.Decoder(Template).decode
decode_address_group = msgspec.json.Decoder(AddressGroup).decode


def group_row(group: Group, sequence: int) -> Row:
    """The row that keeps a group."""
    columns = (group.project_id, group.name, int(group.is_default))
    return Row(group.id, columns, sequence, encode(group))


def rule_row(rule: Rule, owner: str, sequence: int) -> Row:
    """The row that keeps a rule; `owner` is the project of its group."""
    columns = (
        rule.project_id,
        rule.security_group_id,
        owner,
        rule.remote_group_id,
        rule.remote_address_group_id,
        rule.key,
    )
    return Row(rule.id, columns, sequence, encode(rule))


def template_row(template: Template) -> Row:
    """The row that keeps a template; nobody is told of templates."""
    columns = (template.remote_group_id, template.remote_address_group_id)
    return Row(template.id, columns, 0, encode(template))


def address_group_row(group: AddressGroup, sequence: int) -> Row:
    """The row that keeps an address group."""
    return Row(group.id, (group.project_id, group.name), sequence, encode(group))
