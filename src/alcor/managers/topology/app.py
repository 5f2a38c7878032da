"""Put the topology manager together."""

from pathlib import Path

from alcor.keyed_log.log import KeyedLog
from alcor.managers.topology.api import AUTO_ALLOCATED_TOPOLOGY
from alcor.managers.topology.needs import Kinds
from alcor.managers.topology.service import TopologyService
from alcor.managers.topology.sql import living
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.kept_app import KeptApp
from alcor.runtime.places import Place

VERSIONS = Path(__file__).parent / "versions"


class TopologyApp(KeptApp):
    """The topology manager as assembly sees it."""

    def __init__(
        self, place: Place, log: KeyedLog, kinds: Kinds, clock: Seconds, new_id: NewId
    ) -> None:
        super().__init__("topology", place, VERSIONS, log, living, clock, new_id)
        service = TopologyService(self.store, self.makers, kinds)
        self.resources = [(AUTO_ALLOCATED_TOPOLOGY, service)]
