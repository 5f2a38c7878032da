"""Spans reach a collector, or nobody makes any: ratios, clients' decisions, batches, losses."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY
from tests.fixtures.otlp import Collector, Kept, collecting

from alcor.runtime.coalesce import Coalescer
from alcor.runtime.observability import spans
from alcor.runtime.observability.otlp import TraceSettings, traced
from alcor.runtime.observability.spans import Kind

FIRST = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECOND = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = FIRST[:-1] + "0"


def arrived(*parents: str, ratio: float = 1.0, **environment: str) -> tuple[list[str], list[Kept]]:
    """Traceparents of spans below these, and what of them reached a collector."""
    with collecting() as collector:
        with traced(TraceSettings(endpoint=collector.url, ratio=ratio), "here", environment):
            recorder = spans.recorder
            assert recorder is not None
            begun = [recorder.begin("call", Kind.SERVER, parent) for parent in parents]
            for span in begun:
                span.end()
        assert spans.recorder is None
        return [span.traceparent for span in begun], collector.all()


def test_a_span_reaches_the_collector_below_the_clients_own() -> None:
    _, (kept,) = arrived(FIRST)

    _, trace, parent, _ = FIRST.split("-")
    assert (kept.service, kept.name, kept.trace, kept.parent) == ("here", "call", trace, parent)


def test_of_a_ratio_of_0_only_those_are_traced_whose_client_says_so() -> None:
    given, kept = arrived("", FIRST, UNSAMPLED, ratio=0.0)

    assert [bool(each) for each in given] == [False, True, False]
    assert [each.trace for each in kept] == [FIRST.split("-")[1]]


def test_without_a_collector_nobody_records() -> None:
    with traced(TraceSettings(), "here", {}):
        assert spans.recorder is None
    disabled = {"OTEL_SDK_DISABLED": "true"}
    with traced(TraceSettings(endpoint="http://127.0.0.1:1"), "here", disabled):
        assert spans.recorder is None


def test_what_the_collector_does_not_take_is_counted() -> None:
    def lost() -> float:
        return REGISTRY.get_sample_value("alcor_spans_lost_total") or 0.0

    before = lost()
    with collecting() as collector:
        settings = TraceSettings(endpoint=f"{collector.url}/elsewhere")
        with traced(settings, "here", {}):
            assert spans.recorder is not None
            spans.recorder.begin("call", Kind.SERVER, "").end()

    assert lost() == before + 1


def test_within_a_request_that_is_not_traced_nothing_is_made() -> None:
    with collecting() as collector:
        with (
            traced(TraceSettings(endpoint=collector.url), "here", {}),
            spans.inner("work"),
        ):
            assert spans.within.get() == ""
        assert not collector.all()


def test_a_batch_is_below_its_first_request_and_linked_to_the_others() -> None:
    kept = asyncio.run(_batch([FIRST, "", SECOND]))

    (batch,) = [each for each in kept if each.name == "batch some"]
    assert batch.trace == FIRST.split("-")[1]
    assert batch.links == [SECOND.split("-")[1]]
    (inside,) = [each for each in kept if each.name == "inside"]
    assert (inside.trace, inside.parent) == (batch.trace, batch.id)


async def _batch(requests: Sequence[str]) -> list[Kept]:
    """What a collector hears of requests that are done together."""
    collector: Collector

    async def do(batch: Sequence[str]) -> list[str]:
        with spans.inner("inside"):
            return list(batch)

    async def ask(queue: Coalescer[str, str], within: str) -> None:
        spans.within.set(within)
        await queue.ask(within)

    with collecting() as collector:
        with traced(TraceSettings(endpoint=collector.url), "here", {}):
            queue = Coalescer(do, name="some", batch_weight_max=10, queue_weight_max=10)
            running = asyncio.create_task(queue.run())
            await asyncio.gather(*(ask(queue, each) for each in requests))
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        return collector.all()


def test_a_span_of_what_failed_says_so_and_nothing_is_within_it_any_more() -> None:
    def fail() -> None:
        with spans.served("call", FIRST):
            assert spans.within.get().split("-")[1] == FIRST.split("-")[1]
            raise ValueError("no")

    with collecting() as collector:
        with traced(TraceSettings(endpoint=collector.url), "here", {}):
            with pytest.raises(ValueError, match="no"):
                fail()
            assert spans.within.get() == ""
        assert [each.problem for each in collector.all()] == ["ValueError"]
