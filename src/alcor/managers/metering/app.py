"""Put the metering manager together."""

from pathlib import Path

from alcor.keyed_log.log import KeyedLog
from alcor.managers.metering.api import METERING_LABEL, METERING_LABEL_RULE
from alcor.managers.metering.service import LabelService, RuleService
from alcor.managers.metering.sql import LABELS, RULES, living
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.kept_app import KeptApp
from alcor.runtime.places import Place

VERSIONS = Path(__file__).parent / "versions"


class MeteringApp(KeptApp):
    """The metering manager as assembly sees it."""

    def __init__(self, place: Place, log: KeyedLog, clock: Seconds, new_id: NewId) -> None:
        super().__init__("metering", place, VERSIONS, log, living, clock, new_id)
        self.resources = [
            (METERING_LABEL, LabelService(self.store, LABELS, self.makers)),
            (METERING_LABEL_RULE, RuleService(self.store, RULES, self.makers)),
        ]
