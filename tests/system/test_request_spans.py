"""One trace from the call of the API to the flows of a real switch, in either shape."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.request import Request, urlopen

import msgspec
import pytest
from tests.otlp import Collector, Kept, collecting
from tests.system.conftest import of_this_checkout, region_of

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


@pytest.fixture(scope="module", params=["embedded", "served"])
def traced(request: pytest.FixtureRequest) -> Iterator[tuple[Lab, Collector]]:
    """A lab of one host whose processes all send their spans to a collector."""
    name = of_this_checkout("sysspan")
    with ExitStack() as stack:
        collector = stack.enter_context(collecting())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")  # ms
        labs.down(name)
        stack.callback(labs.down, name)
        served = request.param == "served"
        addresses = stack.enter_context(region_of(request)) if served else []
        built = labs.up(name, 1, *addresses)
        stack.callback(built.api.close)
        yield built, collector


def missing(expected: dict[str, list[str]], spans: list[Kept]) -> list[tuple[str, str]]:
    """Spans that are expected of a service, and have not come."""
    return [
        (service, pattern)
        for service, patterns in expected.items()
        for pattern in patterns
        if not any(s.service == service and re.fullmatch(pattern, s.name) for s in spans)
    ]


def test_a_call_is_one_trace_through_every_process_to_the_flows(
    traced: tuple[Lab, Collector], request: pytest.FixtureRequest
) -> None:
    lab, collector = traced
    expected = SERVED if "served" in request.node.name else EMBEDDED
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
