"""Groups and their rules within one transaction."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from alcor.contracts.resources import Filter, ListQuery
from alcor.contracts.sharing import AS_SHARED
from alcor.intent.store import ToldTransaction
from alcor.managers.security_group import intent
from alcor.managers.security_group.model.group import (
    Group,
    SecurityGroupDefaultAlreadyExists,
    SecurityGroupIdInUse,
    SecurityGroupNotFound,
)
from alcor.managers.security_group.model.refusals import (
    SecurityGroupRuleIdInUse,
    SecurityGroupRuleNotFound,
)
from alcor.managers.security_group.model.rule import Rule
from alcor.managers.security_group.sql.tables import (
    GROUPS,
    RULES,
    TEMPLATES,
    decode_group,
    decode_rule,
    encode,
    group_row,
    rule_row,
)
from alcor.resource.revisions import touched
from alcor.runtime.sql.database import each_of
from alcor.runtime.tables import sharing
from alcor.runtime.tables.resource_table import Taken
from alcor.runtime.tables.sharing import Viewer


class _Id(msgspec.Struct):
    id: str


_id = msgspec.json.Decoder(_Id).decode


class GroupTransaction(ToldTransaction):
    """The part of `needs.Transaction` that is about groups and rules."""

    def group(self, id_: str, project: str | None) -> Group:
        row = GROUPS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise SecurityGroupNotFound(id_)
        return decode_group(row.doc)

    def groups(self, ids: Sequence[str], project: str | None) -> list[Group]:
        rows = GROUPS.rows(self._connection, ids)
        found = [decode_group(row.doc) for row in rows.values()]
        return [
            group
            for group in found
            if self._usable(group, project) and self.work_on(group.id) != "delete"
        ]

    def _usable(self, group: Group, project: str | None) -> bool:
        """By its owner, and by those with whom it is shared."""
        return project in (None, group.project_id) or sharing.is_visible(
            self._connection, group.id, (AS_SHARED,), str(project)
        )

    def default_of(self, project: str) -> Group | None:
        rows = GROUPS.where(self._connection, "project_id = ? AND is_default <> 0", (project,))
        return decode_group(rows[0].doc) if rows else None

    def insert_groups(self, groups: Sequence[Group]) -> None:
        first = self._tell([intent.told_group(group) for group in groups])
        try:
            GROUPS.insert(self._connection, [group_row(g, first + i) for i, g in enumerate(groups)])
        except Taken as taken:
            if taken.columns == ("id",):
                raise SecurityGroupIdInUse from None
            raise SecurityGroupDefaultAlreadyExists from None

    def save_group(self, group: Group) -> None:
        first = self._tell([intent.told_group(group)])
        GROUPS.replace(self._connection, [group_row(group, first)])

    def show_group(self, group: Group) -> None:
        self._connection.execute(
            "UPDATE security_group SET doc = ? WHERE id = ?", (encode(group).decode(), group.id)
        )

    def remove_group(self, id_: str, now: str) -> None:
        condition = "security_group_id = ? OR remote_group_id = ?"
        rules = [decode_rule(r.doc) for r in RULES.where(self._connection, condition, (id_, id_))]
        self._remove_rules([rule.id for rule in rules])
        for other in {rule.security_group_id for rule in rules} - {id_}:
            self.show_group(touched(self.group(other, None), {}, now))
        naming = TEMPLATES.where(self._connection, "remote_group_id = ?", (id_,))
        TEMPLATES.delete(self._connection, [row.id for row in naming])
        GROUPS.delete(self._connection, [id_])
        sharing.drop_object(self._connection, id_)
        self._tell([intent.told_gone(intent.group_kind, id_)])

    def work_on(self, id_: str) -> str:
        row = self._connection.execute(
            "SELECT work FROM security_group WHERE id = ?", (id_,)
        ).fetchone()
        return str(row[0]) if row else ""

    def set_work(self, id_: str, work: str) -> None:
        self._connection.execute("UPDATE security_group SET work = ? WHERE id = ?", (work, id_))

    def works(self) -> list[tuple[str, str]]:
        return list(
            self._connection.execute("SELECT id, work FROM security_group WHERE work != ''")
        )

    def group_documents(self, ids: Sequence[str]) -> list[Raw]:
        rows = GROUPS.rows(self._connection, ids)
        return self._with_rules([Raw(rows[id_].doc) for id_ in ids])

    def group_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]:
        page = sharing.objects_page(self._connection, GROUPS, (AS_SHARED,), query, viewer)
        return self._with_rules(page)

    def rule(self, id_: str, project: str | None) -> Rule:
        row = RULES.row(self._connection, id_)
        if row is None or project not in (None, row.columns[2]):
            raise SecurityGroupRuleNotFound(id_)
        return decode_rule(row.doc)

    def rule_count(self, group_id: str) -> int:
        (count,) = self._connection.execute(
            "SELECT count(*) FROM security_group_rule WHERE security_group_id = ?", (group_id,)
        ).fetchone()
        return int(count)

    def rule_ids(self, group_id: str, keys: Sequence[str]) -> list[str]:
        statement = (
            "SELECT id FROM security_group_rule WHERE security_group_id = ? AND traffic_key = ?"
        )
        found = [self._connection.execute(statement, (group_id, key)).fetchone() for key in keys]
        return [row[0] for row in found if row is not None]

    def insert_rules(self, rules: Sequence[Rule], owner: str) -> list[Raw]:
        first = self._tell([intent.told_rule(rule) for rule in rules])
        rows = [rule_row(rule, owner, first + i) for i, rule in enumerate(rules)]
        try:
            RULES.insert(self._connection, rows)
        except Taken:
            raise SecurityGroupRuleIdInUse from None
        return [Raw(row.doc) for row in rows]

    def save_rule(self, rule: Rule, owner: str) -> Raw:
        first = self._tell([intent.told_rule(rule)])
        row = rule_row(rule, owner, first)
        RULES.replace(self._connection, [row])
        return Raw(row.doc)

    def remove_rule(self, id_: str) -> None:
        self._remove_rules([id_])

    def rule_page(self, query: ListQuery, project: str | None) -> list[Raw]:
        if project is not None:
            own = Filter("owner", (project,))
            query = msgspec.structs.replace(query, filters=(*query.filters, own))
        return RULES.page(self._connection, query)

    def _remove_rules(self, ids: Sequence[str]) -> None:
        RULES.delete(self._connection, ids)
        self._tell([intent.told_gone(intent.rule_kind, id_) for id_ in ids])

    def _with_rules(self, documents: Sequence[Raw]) -> list[Raw]:
        """The groups' documents with those of their rules put in, unread."""
        ids = [_id(document).id for document in documents]
        rules_by_group: dict[str, list[bytes]] = {id_: [] for id_ in ids}
        condition = "security_group_id IN (SELECT value FROM json_each(?)) ORDER BY id"
        for row in RULES.where(self._connection, condition, (each_of(ids),)):
            rules_by_group[str(row.columns[1])].append(row.doc)
        return [
            Raw(
                bytes(document)[:-1]
                + b',"security_group_rules":['
                + b",".join(rules_by_group[id_])
                + b"]}"
            )
            for id_, document in zip(ids, documents, strict=True)
        ]
