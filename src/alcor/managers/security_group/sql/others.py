"""Templates and address groups within one transaction."""

from collections.abc import Sequence

from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.contracts.sharing import AS_SHARED
from alcor.intent.store import ToldTransaction
from alcor.managers.security_group import intent
from alcor.managers.security_group.model.address_group import (
    AddressGroup,
    AddressGroupIdInUse,
    AddressGroupNotFound,
)
from alcor.managers.security_group.model.template import (
    DefaultSecurityGroupRuleNotFound,
    Template,
    TemplateIdInUse,
)
from alcor.managers.security_group.sql.tables import (
    ADDRESS_GROUPS,
    RULES,
    TEMPLATES,
    address_group_row,
    decode_address_group,
    decode_template,
    template_row,
)
from alcor.runtime.tables import sharing
from alcor.runtime.tables.resource_table import Taken
from alcor.runtime.tables.sharing import Viewer


class TemplateTransaction(ToldTransaction):
    """The part of `needs.Transaction` that is about templates."""

    def templates(self) -> list[Template]:
        return [decode_template(r.doc) for r in TEMPLATES.where(self._connection, "1 = 1", ())]

    def insert_templates(self, templates: Sequence[Template]) -> list[Raw]:
        rows = [template_row(template) for template in templates]
        try:
            TEMPLATES.insert(self._connection, rows)
        except Taken:
            raise TemplateIdInUse from None
        return [Raw(row.doc) for row in rows]

    def remove_template(self, id_: str) -> None:
        if TEMPLATES.row(self._connection, id_) is None:
            raise DefaultSecurityGroupRuleNotFound(id_)
        TEMPLATES.delete(self._connection, [id_])

    def template_page(self, query: ListQuery) -> list[Raw]:
        return TEMPLATES.page(self._connection, query)


class AddressGroupTransaction(ToldTransaction):
    """The part of `needs.Transaction` that is about address groups."""

    def address_group(self, id_: str, project: str | None) -> AddressGroup:
        row = ADDRESS_GROUPS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise AddressGroupNotFound(id_)
        return decode_address_group(row.doc)

    def usable_address_group(self, id_: str, project: str | None) -> AddressGroup:
        held = self.address_group(id_, None)
        if project in (None, held.project_id) or sharing.is_visible(
            self._connection, id_, (AS_SHARED,), str(project)
        ):
            return held
        raise AddressGroupNotFound(id_)

    def address_group_is_named(self, id_: str) -> bool:
        condition = "remote_address_group_id = ? LIMIT 1"
        return any(table.where(self._connection, condition, (id_,)) for table in (RULES, TEMPLATES))

    def insert_address_groups(self, groups: Sequence[AddressGroup]) -> list[Raw]:
        first = self._tell([intent.told_address_group(group) for group in groups])
        rows = [address_group_row(group, first + i) for i, group in enumerate(groups)]
        try:
            ADDRESS_GROUPS.insert(self._connection, rows)
        except Taken:
            raise AddressGroupIdInUse from None
        return [Raw(row.doc) for row in rows]

    def save_address_group(self, group: AddressGroup) -> Raw:
        first = self._tell([intent.told_address_group(group)])
        row = address_group_row(group, first)
        ADDRESS_GROUPS.replace(self._connection, [row])
        return Raw(row.doc)

    def remove_address_group(self, id_: str) -> None:
        ADDRESS_GROUPS.delete(self._connection, [id_])
        sharing.drop_object(self._connection, id_)
        self._tell([intent.told_gone(intent.address_group_kind, id_)])

    def address_group_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]:
        actions = (AS_SHARED,)
        return sharing.objects_page(self._connection, ADDRESS_GROUPS, actions, query, viewer)
