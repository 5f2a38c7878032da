"""What the agent counts. A registry of its own, so that several agents fit into one process."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from alcor.runtime.version import version

_APPLY_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The agent's metrics; names as `alcor_agent_<what>_<unit>`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        gauge(
            "alcor_build_info",
            "Always 1; the version is a label, and what the process does",
            ("version", "role"),
        ).labels(version(), "agent").set(1)
        self.flows = gauge("alcor_agent_flows", "Flows on the switch")
        self.flow_ops = counter(
            "alcor_agent_flow_ops_total", "Flows put and taken away", ("op", "result")
        )
        self.apply_seconds = histogram(
            "alcor_agent_apply_seconds",
            "From the first change of a pass to the switch's acknowledgement",
            buckets=_APPLY_BUCKETS_S,
        )
        self.revision = gauge("alcor_agent_revision", "Goal-log position that the switch has")
        self.drift = gauge(
            "alcor_agent_drift_entries",
            "Flows that the last audit found different from what is wanted",
        )
        self.punts = counter("alcor_agent_punts_total", "Packets punted", ("kind", "result"))
        self.limit_reached = counter(
            "alcor_limit_reached_total", "How often a limit was met", ("limit",)
        )
        metered = ("label", "direction")
        self.metered_packets = counter(
            "alcor_agent_metered_packets_total",
            "Packets that passed gateways of routers here, by metering label",
            metered,
        )
        self.metered_bytes = counter(
            "alcor_agent_metered_bytes_total", "Bytes of them, with their Ethernet headers", metered
        )
        self.certificate_end = gauge(
            "alcor_certificate_end_timestamp_seconds",
            "When the host's certificate ends, or its authority's, since the epoch; 0: the files "
            "can't be used (without TLS it is not told)",
            ("role",),
        )
        self.credentials_end = gauge(
            "alcor_credentials_end_timestamp_seconds",
            "When the host's NATS credentials end, since the epoch; 0: the file can't be used, "
            "+Inf: they never do (without such a file it is not told)",
            ("setting",),
        )
        self.unsaved = gauge(
            "alcor_agent_goal_state_unsaved", "1 while the disk refuses the host's goal state"
        )
        self.switch_away = gauge(
            "alcor_agent_switch_away", "1 while Open vSwitch does not answer: no change is made"
        )
        self.gateways_down = gauge(
            "alcor_agent_gateways_down",
            "Gateways of routers that leave here whose next hops BFD finds down",
        )
        self.goal_faults = counter(
            "alcor_agent_goal_faults_total",
            "Parts of goal state ignored, and things that no flows could be made of",
        )
