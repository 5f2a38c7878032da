"""Whoever waits for a write is answered when the hosts it concerns have it, or told which lag."""

import asyncio
from typing import Any

import pytest

from alcor.contracts.convergence import ConvergenceRequest
from alcor.delivery import metrics
from alcor.delivery.convergence import arrival_s_least
from alcor.values.errors import InvalidInput, NotFound

NET = "network/n1/"


def wait_for(revision: str, timeout_s: float = 20.0) -> ConvergenceRequest:
    return ConvergenceRequest(revision=revision, timeout_s=timeout_s)


async def three_hosts(world: Any, record: Any) -> None:
    """h1 and h2 share the network n1; h3 is alone on n3."""
    await world.control.tell(record.network(), record.network("n3"))
    await world.control.tell(*(record.node(f"h{n}") for n in (1, 2, 3)))
    await world.control.tell(record.port(1, "h1"), record.port(2, "h2"))
    await world.control.tell(record.port(3, "h3", "n3"))
    await world.control.begin()


def test_a_write_converges_when_the_hosts_it_concerns_have_it(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await three_hosts(world, record)
        wait = world.control.delivery.convergence.wait

        async with world.host("h1", "host/h1/", NET) as h1, world.host("h2", "host/h2/", NET):
            await h1.until(lambda: NET in h1.complete)
            for number in range(10, 30):
                revision = await world.control.tell(record.port(number, "h2"), trace=f"r{number}")
                reply = await wait(wait_for(revision))
                assert reply.converged, reply
                assert f"network/n1/neighbour/p{number}" in h1.living()

    play(scenario)


def test_a_host_that_does_not_acknowledge_is_named(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await three_hosts(world, record)
        wait = world.control.delivery.convergence.wait

        async with world.host("h1", "host/h1/", NET) as h1, world.host("h2", "host/h2/", NET) as h2:
            await h1.until(lambda: NET in h1.complete)
            await h2.until(lambda: NET in h2.complete)
            h2.acknowledges = False
            revision = await world.control.tell(record.port(10, "h1"))
            now = await wait(wait_for(revision, 0.3))
            later = asyncio.ensure_future(wait(wait_for(revision)))
            h2.acknowledges = True
            await world.control.tell(record.port(11, "h1"))

            assert (await later).converged
        assert [(host.host, host.connected) for host in now.hosts] == [("h2", True)]
        assert now.hosts[0].applied < now.hosts[0].wanted
        assert (now.converged, now.lagging) == (False, 1)

    play(scenario)


def test_for_how_long_a_host_has_lacked_a_change_is_told_until_it_has_it_or_is_gone(
    play: Any, record: Any
) -> None:
    def lacked_s() -> float:
        (family,) = metrics.unapplied_seconds.collect()
        (sample,) = family.samples
        return float(sample.value)

    async def scenario(world: Any) -> None:
        await three_hosts(world, record)
        wait = world.control.delivery.convergence.wait

        async with world.host("h1", "host/h1/", NET) as h1, world.host("h2", "host/h2/", NET) as h2:
            await h1.until(lambda: NET in h1.complete)
            await h2.until(lambda: NET in h2.complete)
            for number in (20, 30):
                h2.acknowledges = False
                revision = await world.control.tell(record.port(number, "h1"))
                assert not (await wait(wait_for(revision, 0.3))).converged
                assert lacked_s() > 0.1
                h2.acknowledges = True
                revision = await world.control.tell(record.port(number + 1, "h1"))
                assert (await wait(wait_for(revision))).converged
                assert lacked_s() == 0
            h2.acknowledges = False
            revision = await world.control.tell(record.port(10, "h1"))
            assert not (await wait(wait_for(revision, 0.3))).converged
            assert lacked_s() > 0.1
        while lacked_s():  # noqa: ASYNC110 (`play` has a deadline)
            await asyncio.sleep(0.05)

    play(scenario)


def test_a_host_that_is_away_lags_for_what_concerns_it_only(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await three_hosts(world, record)
        wait = world.control.delivery.convergence.wait

        async with world.host("h1", "host/h1/", NET) as h1, world.host("h2", "host/h2/", NET):
            await h1.until(lambda: NET in h1.complete)
            alone = await world.control.tell(record.port(10, "h3", "n3"), trace="alone")
            shared = await world.control.tell(record.port(11, "h1"), trace="shared")
            reply_alone, reply_shared = await asyncio.gather(
                wait(wait_for(alone, 0.3)), wait(wait_for(shared))
            )

        assert [(host.host, host.connected) for host in reply_alone.hosts] == [("h3", False)]
        assert reply_shared.converged

    play(scenario)


def test_a_write_before_the_start_waits_for_everything_as_of_now(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await three_hosts(world, record)
        wait = world.control.delivery.convergence.wait

        async with (
            world.host("h1", "host/h1/", NET),
            world.host("h2", "host/h2/", NET),
            world.host("h3", "host/h3/") as h3,
        ):
            h3.link.subscribe("network/n3/")
            reply = await wait(wait_for("port:1"))
            gone = await wait(wait_for("network:0", 0))

        assert reply.converged, reply
        assert gone.revision == "network:0"

    play(scenario)


def test_a_write_that_is_planned_late_is_waited_for(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await three_hosts(world, record)
        wait = world.control.delivery.convergence.wait

        async with world.host("h1", "host/h1/", NET) as h1, world.host("h2", "host/h2/", NET):
            await h1.until(lambda: NET in h1.complete)
            waiting = asyncio.ensure_future(wait(wait_for("port:4")))
            done, _ = await asyncio.wait([waiting], timeout=arrival_s_least + 0.5)
            assert not done
            assert await world.control.tell(record.port(10, "h1")) == "port:4"
            assert (await waiting).converged

    play(scenario)


def test_a_revision_that_was_never_made_is_not_found(play: Any, record: Any) -> None:
    async def scenario(world: Any) -> None:
        await three_hosts(world, record)
        wait = world.control.delivery.convergence.wait

        for text in ("port:999", "volume:1"):
            with pytest.raises(NotFound):
                await wait(wait_for(text, 0))
        with pytest.raises(InvalidInput):
            await wait(wait_for("latest"))

    play(scenario)


def test_a_manager_that_tells_hosts_nothing_is_not_waited_for(play: Any, record: Any) -> None:
    """As one that only a later release has."""

    async def scenario(world: Any) -> None:
        await three_hosts(world, record)

        with pytest.raises(NotFound):
            await world.control.delivery.convergence.wait(wait_for("volume:1", 600))

    play(scenario)
