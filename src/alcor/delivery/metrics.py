"""What an operator sees of the delivery; times in seconds."""

from prometheus_client import Counter, Gauge, Histogram

from alcor.runtime.observability.metrics import credentials_end, intent_revision, limit_reached

__all__ = [
    "certificate_end",
    "credentials_end",
    "goal_entries",
    "intent_revision",
    "limit_reached",
    "plan_seconds",
    "propagation_seconds",
    "queue_depth",
    "sessions",
    "unapplied_seconds",
    "unplannable",
]

certificate_end = Gauge(
    "alcor_certificate_end_timestamp_seconds",
    "When the certificate that hosts are shown ends, or its authority's, since the epoch; 0: the "
    "files can't be used (without TLS it is not told).",
    ["role"],
)
goal_entries = Gauge("alcor_goal_entries", "Entries of goal state that live.")
plan_seconds = Histogram(
    "alcor_plan_seconds",
    "To plan some changes that came together, and put what they make into the goal log.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
sessions = Gauge("alcor_sessions", "Hosts that are connected.")
propagation_seconds = Histogram(
    "alcor_propagation_seconds",
    "From an entry put in the goal log until the last host concerned has applied it, of those that "
    "are connected here (sampled: one write at a time).",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
unapplied_seconds = Gauge(
    "alcor_unapplied_seconds",
    "For how long a host that is connected here has lacked a change that concerns it, of those the "
    "longest; 0: none lacks any.",
)
queue_depth = Gauge("alcor_delivery_queue_depth", "Entries that wait to be sent to hosts.")
unplannable = Counter(
    "alcor_unplannable_records", "Records of intent that could not be planned and were left out."
)
