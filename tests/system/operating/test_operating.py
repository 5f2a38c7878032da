"""What operators see and do: traces down to a real switch; logs made anew, and no flow written."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple
from urllib.request import Request, urlopen
from uuid import uuid4

import msgspec
import pytest
from tests.conftest import NatsServer
from tests.fixtures.otlp import Collector, Kept, collecting
from tests.fixtures.ports import free_port
from tests.fixtures.region import served
from tests.system.conftest import (
    MakeMachines,
    MakeNetwork,
    converge_timeout_s,
    of_this_checkout,
)

from alcor.assembly.config import Config
from alcor.client.api import NETWORK, SUBNET
from alcor.lab import lab as labs
from alcor.lab.lab import Lab
from alcor.lab.layout import LabError
from alcor.lab.waiting import wait_until

TRACE, CLIENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
seconds_max = 30.0

# What each process does for a port that is made on a host, by the pattern of the span's name.
EMBEDDED = {
    "alcor-up": [
        "POST /v2.0/ports",
        r"ResourceManager\.port\.create",
        "batch port_writes",
        "write port",
    ],
    "alcor-delivery": ["plan", "deliver"],
    "alcor-agent": ["apply flows"],
}
SERVED = {
    "alcor-gateway": ["POST /v2.0/ports", r"ResourceManager\.port\.create"],
    "alcor-managers": [
        r"ResourceManager\.port\.create",
        "batch port_writes",
        r"IpPeer\.\w+",
        "write ip",
        "write port",
        "tell intent",
    ],
    "alcor-delivery": ["plan", "deliver"],
    "alcor-agent": ["apply flows"],
}


@pytest.fixture
def lab(operated: "Operated") -> Lab:
    """For who makes networks and machines."""
    return operated.lab


class Operated(NamedTuple):
    """A lab of one host whose processes all send their spans to a collector."""

    lab: Lab
    collector: Collector
    nats: str  # its URL; empty where there is none
    agent_metrics: str


@pytest.fixture(scope="module", params=["embedded", "served"])
def operated(request: pytest.FixtureRequest) -> Iterator[Operated]:
    name = of_this_checkout("sysops")
    with ExitStack() as stack:
        collector = stack.enter_context(collecting())
        agent = f"127.0.0.1:{free_port()}"
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")  # ms
        patch.setenv("ALCOR_METRICS_LISTEN", agent)
        labs.down(name)
        stack.callback(labs.down, name)
        nats, endpoint, agents = "", "", ""
        if request.param == "served":
            folder = request.getfixturevalue("tmp_path_factory").mktemp("region")
            server = NatsServer(folder / "nats")
            stack.callback(server.kill)
            databases = request.getfixturevalue("postgres").url(f"{uuid4().hex}_{{manager}}")
            region = stack.enter_context(served(Config(), folder, server.url, databases))
            endpoint, agents = f"http://{region.host}:{region.port}", region.agents
            nats = server.url
        built = labs.up(name, 1, endpoint, agents)
        stack.callback(built.api.close)
        yield Operated(built, collector, nats, f"http://{agent}/metrics")


def missing(expected: dict[str, list[str]], spans: list[Kept]) -> list[tuple[str, str]]:
    """Spans that are expected of a service, and have not come."""
    return [
        (service, pattern)
        for service, patterns in expected.items()
        for pattern in patterns
        if not any(s.service == service and re.fullmatch(pattern, s.name) for s in spans)
    ]


def test_a_call_is_one_trace_through_every_process_to_the_flows(
    operated: Operated,
) -> None:
    lab, collector = operated.lab, operated.collector
    expected = SERVED if operated.nats else EMBEDDED
    network = lab.api.create(NETWORK, [{"name": "n"}]).items[0]["id"]
    lab.api.create(SUBNET, [{"network_id": network, "ip_version": 4, "cidr": "10.66.0.0/24"}])
    body = {"port": {"network_id": network, "binding:host_id": "h1"}}

    asked = Request(
        f"{lab.record.endpoint}/v2.0/ports",
        msgspec.json.encode(body),
        {"traceparent": f"00-{TRACE}-{CLIENT}-01", "Content-Type": "application/json"},
    )
    with urlopen(asked, timeout=30) as answer:
        request_id = answer.headers["x-openstack-request-id"]

    try:
        wait_until("the spans", lambda: not missing(expected, collector.of(TRACE)), seconds_max)
    except LabError as late:
        came = [(span.service, span.name) for span in collector.of(TRACE)]
        raise AssertionError(f"{missing(expected, collector.of(TRACE))} of {came}") from late
    spans = collector.of(TRACE)
    first = [each for each in spans if each.parent == CLIENT]
    assert [each.attributes["alcor.request_id"] for each in first] == [request_id]
    ids = {each.id for each in spans} | {CLIENT}
    assert not [each for each in spans if each.parent not in ids]
    deliver = next(each for each in spans if each.name == "deliver")
    assert deliver.attributes["host"] == "h1"
    # The subnet's call is another trace, and of nobody's asking.
    others = [s for s in collector.all() if s.name == "POST /v2.0/subnets"]
    assert [s.parent for s in others] == [""]
    assert others[0].trace != TRACE


def flows_written(operated: Operated) -> float:
    """How many flows the agent has put or taken away so far."""
    with urlopen(operated.agent_metrics, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("alcor_agent_flow_ops_total{")
    )


@pytest.mark.parametrize("operated", ["served"], indirect=True, scope="module")
def test_logs_that_are_made_anew_write_no_flow(
    operated: Operated, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    lab = operated.lab
    make_machines(make_network("10.67.0.0/24"), "m1 m2", "h1 h1")
    last = lab.api.create(NETWORK, [{"name": "last"}]).revision
    assert lab.api.wait(last, converge_timeout_s).converged
    before = flows_written(operated)
    assert before > 0

    argv = [sys.executable, "-P", "-m", "alcor.cli.main", "rebuild", "--yes"]
    environment = os.environ | {"ALCOR_SERVED__NATS": operated.nats}
    subprocess.run(argv, check=True, env=environment, timeout=converge_timeout_s * 4)

    # The host has said that it has all that the new logs hold.
    assert lab.api.wait(last, converge_timeout_s).converged
    assert flows_written(operated) == before
