"""What every service of this manager shares: who sees what, and the revision of a write."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Raw

from alcor.contracts.resources import Caller, Written
from alcor.managers.security_group.needs import Transaction
from alcor.runtime.sharing import Viewer
from alcor.values.errors import Kind, Refusal
from alcor.values.revision import Revision

manager = "security_group"


class Makers(NamedTuple):
    """Where new ids and times come from."""

    new_id: Callable[[], str]
    now: Callable[[], str]


def seen_by(caller: Caller) -> str | None:
    """The project whose resources the caller sees; None: all projects."""
    return None if caller.sees_all else caller.project_id


def viewer_of(caller: Caller) -> Viewer:
    """Who looks."""
    return Viewer(caller.project_id, caller.sees_all)


def check_admin(caller: Caller, rule: str) -> None:
    """Refuse whoever is no administrator."""
    if not caller.admin:
        message = f"rule:{rule} is disallowed by policy"
        raise Refusal(message, type="PolicyNotAuthorized", kind=Kind.FORBIDDEN)


def written(tx: Transaction, documents: Sequence[Raw]) -> Written:
    """The answer to a write, made at its end."""
    return Written(list(documents), str(Revision(manager, tx.sequence())))
