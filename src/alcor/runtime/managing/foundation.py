"""What every manager is built on: a database, the logs, time, ids, and what projects may have."""

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alcor.intent.follow import Ready, Take, follow
from alcor.keyed_log.log import KeyedLog
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.managing.writes import Makers
from alcor.runtime.sql.database import Database
from alcor.runtime.sql.places import Place, open_database
from alcor.runtime.tables.usage import Limit, unlimited


@dataclass(frozen=True, slots=True)
class Foundation:
    """The same for all managers of a region; assembly gives it to each."""

    place: Place
    intent: KeyedLog
    reports: KeyedLog
    rebuilt: Ready  # returns once the intent log has been told all there is
    clock: Seconds
    new_id: NewId
    quota: Limit = unlimited

    def database(self, name: str, versions: Path) -> Database:
        """The manager's own, with its schema brought up to date."""
        return open_database(self.place, name, versions)

    @property
    def makers(self) -> Makers:
        """New ids, and times as Neutron writes them."""
        return Makers.by(self.clock, self.new_id)

    def follow(self, kind: str, replace: Take, apply: Take) -> Coroutine[Any, Any, None]:
        """What hands over the records of `kind` in the intent log (`intent.follow`)."""
        return follow(self.intent, kind, self.rebuilt, replace, apply)
