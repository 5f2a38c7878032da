"""What this process counts, with what another one has said that it counts, as one exposition."""

from collections.abc import Iterable, Iterator

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families as families_of
from prometheus_client.registry import Collector


class _Merged(Collector):
    """Families that both have hold the samples of both; the other's bear the label `process`."""

    def __init__(self, own: Iterable[Metric], text: str, process: str) -> None:
        self._own = own
        self._other = {
            family.name: family
            for family in families_of(text)
            if not family.name.endswith("_created")  # a client's habit, of use to nobody
        }
        self._process = process

    def collect(self) -> Iterator[Metric]:
        for family in self._own:
            other = self._other.pop(family.name, None)
            if other is not None:
                family.samples += [
                    sample._replace(labels={**sample.labels, "process": self._process})
                    for sample in other.samples
                ]
            yield family
        yield from self._other.values()


def exposition(text: str = "", process: str = "") -> bytes:
    """Prometheus' text format; `text` is what the other process says, in the same."""
    if not text:
        return generate_latest(REGISTRY)
    return generate_latest(_Merged(REGISTRY.collect(), text, process))
