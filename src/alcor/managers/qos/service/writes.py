"""What every service of this manager shares: who sees what, and the revision of a write."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Raw

from alcor.contracts.resources import Caller, Written
from alcor.managers.qos.needs import Transaction
from alcor.runtime.sharing import Viewer
from alcor.values.revision import Revision

manager = "qos_policy"


class Makers(NamedTuple):
    """Where new ids and times come from."""

    new_id: Callable[[], str]
    now: Callable[[], str]


def seen_by(caller: Caller) -> str | None:
    """The project whose policies the caller may change; None: of all projects."""
    return None if caller.sees_all else caller.project_id


def viewer_of(caller: Caller) -> Viewer:
    """Who looks."""
    return Viewer(caller.project_id, caller.sees_all)


def written(tx: Transaction, documents: Sequence[Raw]) -> Written:
    """The answer to a write, made at its end."""
    return Written(list(documents), str(Revision(manager, tx.sequence())))
