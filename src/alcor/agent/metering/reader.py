"""Read from the switch what was counted under metering labels, and say it as metrics."""

from collections.abc import Mapping
from typing import Protocol

from alcor.agent.metering.tally import Counted, Tally
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.openflow.flows import FlowCounts, FlowKey


class Counts(Protocol):
    """What is asked of the switch."""

    async def counts(self, table: int) -> Mapping[FlowKey, FlowCounts] | None: ...


class MeterReader:
    """Counters that only grow, whatever becomes of the flows."""

    def __init__(self, model: HostModel, switch: Counts, metrics: Metrics) -> None:
        self._model, self._switch, self._metrics = model, switch, metrics
        self._tally = Tally()
        self._said: set[Counted] = set()

    async def read(self) -> None:
        """Count what has come since the last time; nothing is asked where nothing is metered."""
        rules = list(self._model.metering.rules())
        if not rules and not self._said:
            return
        counts = await self._switch.counts(p.METERED)
        if counts is None:
            return
        found = self._tally.take(rules, counts)
        for what, (packets, octets) in found.items():
            labels = _labels(what)
            self._metrics.metered_packets.labels(*labels).inc(packets)
            self._metrics.metered_bytes.labels(*labels).inc(octets)
        for what in self._said - found.keys():
            self._metrics.metered_packets.remove(*_labels(what))
            self._metrics.metered_bytes.remove(*_labels(what))
        self._said = set(found)


def _labels(what: Counted) -> tuple[str, str]:
    return what.label_id, "ingress" if what.ingress else "egress"
