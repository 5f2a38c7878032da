"""What two processes count, told as one."""

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from alcor.runtime.observability import metrics
from alcor.runtime.observability.exposition import exposition

OTHER = """\
# HELP alcor_limit_reached_total How often a limit was reached.
# TYPE alcor_limit_reached_total counter
alcor_limit_reached_total{limit="told.by.both"} 3.0
# HELP alcor_limit_reached_created How often a limit was reached.
# TYPE alcor_limit_reached_created gauge
alcor_limit_reached_created{limit="told.by.both"} 1.7e+09
# HELP alcor_only_there Counted only there.
# TYPE alcor_only_there gauge
alcor_only_there 7.0
"""


def read(text: bytes) -> Callable[[str, dict[str, str]], float | None]:
    families = list(text_string_to_metric_families(text.decode()))
    assert len({family.name for family in families}) == len(families), "a family is told twice"
    samples = {(s.name, *sorted(s.labels.items())): s.value for f in families for s in f.samples}
    return lambda name, labels: samples.get((name, *sorted(labels.items())))


def test_what_both_count_is_told_apart_and_what_one_counts_is_as_it_was() -> None:
    metrics.limit_reached.labels("told.by.both").inc()

    value = read(exposition(OTHER, "delivery"))

    assert value("alcor_limit_reached_total", {"limit": "told.by.both"}) == 1
    both = {"limit": "told.by.both", "process": "delivery"}
    assert value("alcor_limit_reached_total", both) == 3
    assert value("alcor_only_there", {}) == 7
