"""Put the topology manager together."""

from pathlib import Path

from alcor.managers.topology.api import AUTO_ALLOCATED_TOPOLOGY
from alcor.managers.topology.needs import Kinds
from alcor.managers.topology.service import TopologyService
from alcor.managers.topology.sql import living
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept_app import KeptApp

VERSIONS = Path(__file__).parent / "versions"


class TopologyApp(KeptApp):
    """The topology manager as assembly sees it."""

    def __init__(self, base: Foundation, kinds: Kinds) -> None:
        super().__init__(base, "topology", VERSIONS, living)
        service = TopologyService(self.store, self.makers, kinds)
        self.resources = [(AUTO_ALLOCATED_TOPOLOGY, service)]
