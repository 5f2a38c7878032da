"""What every service of this manager shares: who sees what, and the revision of a write."""

from collections.abc import Sequence

from msgspec import Raw

from alcor.contracts.resources import Caller, Written
from alcor.managers.elastic_ip.needs import Transaction
from alcor.values.revision import Revision

manager = "elastic_ip"


def seen_by(caller: Caller) -> str | None:
    """The project whose resources the caller sees; None: all projects."""
    return None if caller.sees_all else caller.project_id


def written(tx: Transaction, documents: Sequence[Raw]) -> Written:
    """The answer to a write, made at its end."""
    return Written(list(documents), str(Revision(manager, tx.sequence())))
