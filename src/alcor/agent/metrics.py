"""What the agent counts. A registry of its own, so that several agents fit into one process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_APPLY_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The agent's metrics; names as `alcor_agent_<what>_<unit>`."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.flows = Gauge("alcor_agent_flows", "Flows on the switch", registry=registry)
        self.flow_ops = Counter(
            "alcor_agent_flow_ops_total",
            "Flows put and taken away",
            ("op", "result"),
            registry=registry,
        )
        self.apply_seconds = Histogram(
            "alcor_agent_apply_seconds",
            "From the first change of a pass to the switch's acknowledgement",
            buckets=_APPLY_BUCKETS_S,
            registry=registry,
        )
        self.revision = Gauge(
            "alcor_agent_revision", "Goal-log position that the switch has", registry=registry
        )
        self.drift = Gauge(
            "alcor_agent_drift_entries",
            "Flows that the last audit found different from what is wanted",
            registry=registry,
        )
        self.punts = Counter(
            "alcor_agent_punts_total", "Packets punted", ("kind", "result"), registry=registry
        )
        self.limit_reached = Counter(
            "alcor_limit_reached_total", "How often a limit was met", ("limit",), registry=registry
        )
        metered = ("label", "direction")
        self.metered_packets = Counter(
            "alcor_agent_metered_packets_total",
            "Packets that passed gateways of routers here, by metering label",
            metered,
            registry=registry,
        )
        self.metered_bytes = Counter(
            "alcor_agent_metered_bytes_total",
            "Bytes of them, with their Ethernet headers",
            metered,
            registry=registry,
        )
        self.certificate_end = Gauge(
            "alcor_certificate_end_timestamp_seconds",
            "When the host's certificate ends, or its authority's, since the epoch; 0: the files "
            "can't be used (without TLS it is not told)",
            ("role",),
            registry=registry,
        )
        self.credentials_end = Gauge(
            "alcor_credentials_end_timestamp_seconds",
            "When the host's NATS credentials end, since the epoch; 0: the file can't be used, "
            "+Inf: they never do (without such a file it is not told)",
            ("setting",),
            registry=registry,
        )
        self.unsaved = Gauge(
            "alcor_agent_goal_state_unsaved",
            "1 while the disk refuses the host's goal state",
            registry=registry,
        )
        self.goal_faults = Counter(
            "alcor_agent_goal_faults_total", "Parts of goal state ignored", registry=registry
        )
