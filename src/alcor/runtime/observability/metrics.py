"""Metrics that several rooms count in; a name can be registered only once in a process."""

from prometheus_client import Counter, Gauge

limit_reached = Counter("alcor_limit_reached", "How often a limit was reached.", ["limit"])
intent_revision = Gauge(
    "alcor_intent_revision", "Sequence of the last change of intent that was planned.", ["manager"]
)

credentials_end = Gauge(
    "alcor_credentials_end_timestamp_seconds",
    "When the NATS credentials of a setting end, since the epoch; 0: the file can't be used, "
    "+Inf: they never do (without such a file it is not told).",
    ["setting"],
)
build_info = Gauge(
    "alcor_build_info",
    "Always 1; the version is a label, and what the process does: a role, or up.",
    ["version", "role"],
)
