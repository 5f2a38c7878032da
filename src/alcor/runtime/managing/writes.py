"""What the services of every manager share: who sees what, new ids and times, a write's answer."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Raw

from alcor.contracts.resources import Caller, Written
from alcor.runtime.clock import NewId, Seconds, timestamp
from alcor.values.revision import Revision


class Makers(NamedTuple):
    """Where new ids and times come from."""

    new_id: NewId
    now: Callable[[], str]

    @classmethod
    def by(cls, clock: Seconds, new_id: NewId) -> "Makers":
        """Times as Neutron writes them."""
        return cls(new_id, lambda: timestamp(clock()))


class Sequenced(Protocol):
    """A transaction of a manager that tells the intent log something."""

    def sequence(self) -> int:
        """Of the last change saved."""
        ...


def seen_by(caller: Caller) -> str | None:
    """The project whose resources the caller sees; None: all projects."""
    return None if caller.sees_all else caller.project_id


def written_by(manager: str) -> Callable[[Sequenced, Sequence[Raw]], Written]:
    """What makes the answer to a write of this manager, at its end."""

    def written(tx: Sequenced, documents: Sequence[Raw]) -> Written:
        return Written(list(documents), str(Revision(manager, tx.sequence())))

    return written
