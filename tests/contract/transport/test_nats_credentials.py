"""When NATS credentials end is known before they do, and new ones in their place are used then."""

import asyncio
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.nats_account import GuardedNats

from alcor.agent.doctor.certificate import credentials_looked_at
from alcor.agent.doctor.finding import Health
from alcor.delivery import metrics
from alcor.transport.nats_credentials import end_s, ends_s

OWN = "host/h1/"
day_s = 86_400


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedNats]:
    server = GuardedNats(tmp_path_factory.mktemp("guarded"))
    yield server
    server.stop()


def test_credentials_say_when_they_end(guarded: GuardedNats) -> None:
    assert ends_s(guarded.host("h1")) == inf
    in_nine_days = guarded.host("h1", lasts_s=9 * day_s)
    assert ends_s(in_nine_days) == pytest.approx(time.time() + 9 * day_s, abs=60)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing of the kind",
        "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------",
        "-----BEGIN NATS USER JWT-----\na.eyJleHAiOiJ4In0.c\n------END NATS USER JWT------",
        "-----BEGIN NATS USER JWT-----\na.e30.c\n",
        "\xff\xfe",
    ],
)
def test_what_is_no_file_of_credentials_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "some.creds"
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(ValueError, match=r"some\.creds"):
        ends_s(file)
    assert end_s(file) == 0
    assert end_s(tmp_path / "none") == 0


def test_a_host_is_told_by_its_doctor_how_long_they_last(
    guarded: GuardedNats, tmp_path: Path
) -> None:
    now_s = time.time()

    def health(lasts_s: int | None) -> Health:
        return credentials_looked_at(guarded.host("h1", lasts_s), now_s).health

    assert [health(None), health(90 * day_s)] == [Health.GOOD, Health.GOOD]
    assert [health(9 * day_s), health(-day_s)] == [Health.FAULT, Health.FAULT]
    assert credentials_looked_at(tmp_path / "none", now_s).health is Health.FAULT


def test_who_is_connected_when_they_end_connects_again_with_the_ones_of_then(
    play: Any, record: Any, guarded: GuardedNats
) -> None:
    """A delivery, and a host, while things change: nothing is lost, and nobody is started again."""
    lasting_s = 3

    async def scenario(world: Any) -> None:
        delivery, h1 = guarded.delivery(lasting_s), guarded.host("h1", lasting_s)
        end = time.monotonic() + lasting_s
        await world.control.tell(record.node("h1"), record.port(1, "h1"))
        await world.control.begin(nats=guarded.url, nats_credentials=str(delivery))
        (family,) = metrics.credentials_end.collect()
        (told,) = family.samples
        assert told.labels == {"setting": "agents.nats_credentials"}
        assert told.value == ends_s(delivery)
        async with world.by_nats("h1", guarded.url, h1, OWN) as host:
            await host.until(lambda: host.complete == {OWN})
            guarded.host("h1")
            guarded.delivery()
            number = 1
            while time.monotonic() < end + 2:
                number += 1
                await world.control.tell(record.port(number, "h1"))
                await asyncio.sleep(0.02)
            assert number > 100
            await host.until(lambda: host.living() == world.control.goal(OWN))
            assert host.cuts > 0

    play(scenario)
