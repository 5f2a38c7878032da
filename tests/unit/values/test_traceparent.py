"""What a change carries of who caused it."""

import pytest

from alcor.values.traceparent import carried, checked, request_of, traceparent_of

REQUEST = "req-5f0bd3a4-9a55-4c7c-b0f0-3a4f3f2f0f10"
SPAN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_traced_request_is_carried_with_its_span_and_read_again() -> None:
    both = carried(REQUEST, SPAN)

    assert (request_of(both), traceparent_of(both)) == (REQUEST, SPAN)


@pytest.mark.parametrize("trace", [REQUEST, "", f"{REQUEST} nonsense"])
def test_of_a_request_that_is_not_traced_there_is_no_span(trace: str) -> None:
    assert carried(REQUEST, "") == REQUEST
    assert traceparent_of(trace) == ""
    assert request_of(trace) == trace.split(" ")[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        f"{SPAN}\n",
        f"{SPAN}-more",
    ],
)
def test_what_the_standard_does_not_allow_is_no_traceparent(text: str) -> None:
    assert checked(text) == ""
