"""Metrics that several rooms count in; a name can be registered only once in a process."""

from prometheus_client import Counter, Gauge

limit_reached = Counter("alcor_limit_reached", "How often a limit was reached.", ["limit"])
intent_revision = Gauge(
    "alcor_intent_revision", "Sequence of the last change of intent that was planned.", ["manager"]
)

build_info = Gauge(
    "alcor_build_info",
    "Always 1; the version is a label, and what the process does: a role, or up.",
    ["version", "role"],
)
