"""What sharing changes of security groups and address groups, and who uses them."""

import sqlite3
from collections.abc import Callable, Sequence

import msgspec

from alcor.contracts.sharing import ANYBODY, AS_SHARED, Confine, SharingPolicy, targets
from alcor.managers.security_group.model.address_group import AddressGroupNotFound
from alcor.managers.security_group.model.group import SecurityGroupNotFound
from alcor.managers.security_group.service.writes import manager
from alcor.managers.security_group.sql.groups import GroupTransaction
from alcor.managers.security_group.sql.others import AddressGroupTransaction
from alcor.managers.security_group.sql.tables import ADDRESS_GROUPS, GROUPS
from alcor.resource.revisions import touched
from alcor.runtime.managing.sharing_service import SharedKind


def shared_groups(now: Callable[[], str]) -> SharedKind:
    """Security groups, as sharing sees them; ports use them."""

    def reshared(
        connection: sqlite3.Connection, id_: str, policies: Sequence[SharingPolicy], trace: str
    ) -> int:
        tx = GroupTransaction(connection, trace)
        shared = ANYBODY in targets(policies)
        tx.save_group(touched(tx.group(id_, None), {"shared": shared}, now()))
        return tx.sequence()

    return SharedKind(manager, GROUPS, SecurityGroupNotFound, (AS_SHARED,), reshared)


def shared_address_groups(now: Callable[[], str]) -> SharedKind:
    """Address groups, as sharing sees them; rules of security groups use them."""

    def reshared(
        connection: sqlite3.Connection, id_: str, policies: Sequence[SharingPolicy], trace: str
    ) -> int:
        tx = AddressGroupTransaction(connection, trace)
        shared = ANYBODY in targets(policies)
        tx.save_address_group(touched(tx.address_group(id_, None), {"shared": shared}, now()))
        return tx.sequence()

    return SharedKind(
        manager, ADDRESS_GROUPS, AddressGroupNotFound, (AS_SHARED,), reshared, _is_named
    )


def _is_named(connection: sqlite3.Connection, confine: Confine) -> bool:
    """Whether a rule of a group of another project names the address group."""
    allowed = msgspec.json.encode([confine.owner, *confine.allowed]).decode()
    found = connection.execute(
        "SELECT 1 FROM security_group_rule WHERE remote_address_group_id = ? "
        "AND owner NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
        (confine.id, allowed),
    )
    return found.fetchone() is not None
