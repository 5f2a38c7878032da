"""With TLS, only hosts with a certificate of their name are served, and only by the authority."""

import asyncio
import re
import subprocess
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.authority import Authority, put

from alcor.agent.doctor import control
from alcor.agent.doctor.examine import trust_of
from alcor.agent.doctor.finding import Finding, Health
from alcor.delivery import metrics
from alcor.transport.tls import TlsFiles

OWN = "host/h1/"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "stranger")


async def begin(world: Any, record: Any, files: TlsFiles) -> None:
    await world.control.tell(record.node("h1"), record.port(1, "h1"))
    await world.control.begin(
        tls_authority=str(files.authority),
        tls_certificate=str(files.certificate),
        tls_key=str(files.key),
    )


def test_a_host_with_a_certificate_of_its_name_is_served(
    play: Any, record: Any, authority: Authority
) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, authority.files("control"))

        async with world.host("h1", tls=authority.files("h1")) as host:
            await host.until(lambda: host.complete == {OWN})
            got = await host.link.get(["host/h1/port/p1"])

        assert len(got.items) == 1
        (family,) = metrics.certificate_end.collect()
        (end,) = family.samples
        assert end.labels == {"role": "delivery"}
        assert end.value > time.time() + 86_000  # it is made for two days

    play(scenario)


def test_certificates_made_as_the_guide_says_are_taken(
    play: Any, record: Any, tmp_path: Path
) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guide" / "region.md").read_text()
    (commands,) = re.findall(r"^```sh\n(umask 077\nopenssl req.*?)^```", guide, re.M | re.S)
    here = commands.replace("compute-17", "h1").replace("DNS:$name", "DNS:$name,IP:127.0.0.1")
    subprocess.run(["bash", "-ec", here], cwd=tmp_path, check=True, capture_output=True)

    def files(name: str) -> TlsFiles:
        return TlsFiles(*(tmp_path / each for each in ("ca.crt", f"{name}.crt", f"{name}.key")))

    async def scenario(world: Any) -> None:
        await begin(world, record, files("delivery.example"))

        async with world.host("h1", tls=files("h1")) as host:
            await host.until(lambda: host.complete == {OWN})

    play(scenario)


def test_a_host_in_anothers_name_is_refused(play: Any, record: Any, authority: Authority) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, authority.files("control"))

        async with world.host("h1", tls=authority.files("h2")) as host:
            await host.until(lambda: host.cuts > 0)

        assert "PERMISSION_DENIED" in host.events[0].reason
        assert not host.frames

    play(scenario)


def test_a_certificate_of_another_authority_is_refused(
    play: Any, record: Any, authority: Authority, stranger: Authority
) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, authority.files("control"))
        theirs, ours = stranger.files("h1"), authority.files("h1")
        believing = TlsFiles(ours.authority, theirs.certificate, theirs.key)

        for files in (theirs, believing):
            async with world.host("h1", tls=files) as host:
                await host.until(lambda host=host: host.cuts > 0)
            assert not host.frames

    play(scenario)


def test_a_host_without_a_certificate_is_refused(
    play: Any, record: Any, authority: Authority
) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, authority.files("control"))

        async with world.host("h1") as host:
            await host.until(lambda: host.cuts > 0)

        assert "does it take only TLS?" in host.events[0].reason
        assert not host.frames

    play(scenario)


def test_a_host_whose_files_are_refused_without_a_word_is_told_where_to_look(
    play: Any, record: Any, authority: Authority, stranger: Authority
) -> None:
    async def scenario(world: Any) -> None:
        await begin(world, record, authority.files("control"))
        ended = authority.files("h1", days=-1)
        mixed = ended._replace(key=stranger.files("h1").key)

        for files in (ended, mixed):
            async with world.host("h1", tls=files) as host:
                await host.until(lambda host=host: host.cuts > 0)
            assert "alcor doctor says what is wrong" in host.events[0].reason

    play(scenario)


def test_the_doctor_tells_whose_certificate_is_not_believed(
    play: Any, record: Any, authority: Authority, stranger: Authority
) -> None:
    """By the handshake that the agent would have."""

    async def scenario(world: Any) -> None:
        await begin(world, record, authority.files("control"))
        port = world.control.delivery.port
        ours, theirs = authority.files("h1"), stranger.files("h1")
        believing = TlsFiles(ours.authority, theirs.certificate, theirs.key)

        async def told(name: str, files: TlsFiles) -> Finding:
            return await control.reachable(f"{name}:{port}", trust_of(files, ""))

        good = await told("127.0.0.1", ours)
        assert (good.health, good.next_step) == (Health.GOOD, "")
        without = await control.reachable(f"127.0.0.1:{port}")
        assert without.health is Health.FAULT
        assert "needs tls_ca, tls_certificate and tls_key" in without.next_step
        for finding, said in (
            (await told("localhost", ours), "Hostname mismatch, certificate is not valid for"),
            (
                await told("127.0.0.1", theirs),
                "shows a certificate that this host does not believe",
            ),
            (await told("127.0.0.1", believing), "does not believe this host's certificate"),
        ):
            assert finding.health is Health.FAULT
            assert said in finding.says
            assert finding.next_step

    play(scenario)


def test_the_doctor_tells_that_a_control_plane_speaks_no_tls(
    play: Any, record: Any, authority: Authority
) -> None:
    async def scenario(world: Any) -> None:
        await world.control.tell(record.node("h1"))
        await world.control.begin()
        where = f"127.0.0.1:{world.control.delivery.port}"

        told = await control.reachable(where, trust_of(authority.files("h1"), where))

        assert "does not speak TLS as hosts do" in told.says
        assert (await control.reachable(where)).health is Health.GOOD

    play(scenario)


def test_a_certificate_is_renewed_while_hosts_are_served(
    play: Any, record: Any, authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    """The next authority's is put in place; in between, files that don't fit together. Meanwhile
    one who is connected is sent change after change."""
    files = TlsFiles(*(tmp_path / name for name in ("ca.pem", "control.pem", "control.key")))
    old, new = authority.files("control"), stranger.files("control")
    put(files, old)

    async def scenario(world: Any) -> None:
        await world.control.tell(record.node("h1"), record.port(1, "h1"), record.node("h2"))
        await world.control.begin(
            tls_authority=str(files.authority),
            tls_certificate=str(files.certificate),
            tls_key=str(files.key),
        )

        async def served(by: Authority) -> bool:
            async with world.host("h2", tls=by.files("h2")) as host:
                await host.until(lambda: bool(host.complete) or host.cuts > 0)
                return bool(host.complete)

        async def change() -> None:
            for number in count(2):
                await world.control.tell(record.port(number, "h1"))
                await asyncio.sleep(0.01)

        async with (
            world.host("h1", tls=authority.files("h1")) as kept,
            asyncio.TaskGroup() as tasks,
        ):
            await kept.until(lambda: kept.complete == {OWN})
            changing = tasks.create_task(change())
            put(files, old._replace(key=new.key))
            assert await served(authority)
            files.certificate.write_text("nothing")
            assert await served(authority)
            put(files, new)
            assert await served(stranger)
            assert not await served(authority)
            await kept.until(lambda: len(kept.living()) > 20)
            changing.cancel()
            await kept.until(lambda: kept.living() == world.control.goal(OWN))
            assert kept.cuts == 0

    play(scenario)
