"""Put the metering manager together."""

from pathlib import Path

from alcor.managers.metering.api import METERING_LABEL, METERING_LABEL_RULE
from alcor.managers.metering.service import LabelService, RuleService
from alcor.managers.metering.sql import LABELS, RULES, living
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept_app import KeptApp

VERSIONS = Path(__file__).parent / "versions"


class MeteringApp(KeptApp):
    """The metering manager as assembly sees it."""

    def __init__(self, base: Foundation) -> None:
        super().__init__(base, "metering", VERSIONS, living)
        self.resources = [
            (METERING_LABEL, LabelService(self.store, LABELS, self.makers)),
            (METERING_LABEL_RULE, RuleService(self.store, RULES, self.makers)),
        ]
