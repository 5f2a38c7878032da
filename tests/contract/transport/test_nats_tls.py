"""By NATS over TLS: certificates are renewed while deliveries and hosts go on."""

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import NatsServer
from tests.fixtures.authority import Authority, put

from alcor.transport.nats_connection import connected
from alcor.transport.tls import TlsFiles

OWN = "host/h1/"


def files_in(folder: Path, name: str) -> TlsFiles:
    return TlsFiles(*(folder / f"{name}.{what}" for what in ("ca", "pem", "key")))


def test_a_delivery_connects_again_with_the_certificate_of_then(
    play: Any, record: Any, tmp_path: Path
) -> None:
    """The authority changes: of the one before, nothing is believed any more."""
    first, second = Authority(tmp_path / "first"), Authority(tmp_path / "second")
    server, delivery, host = (files_in(tmp_path, name) for name in ("nats", "control", "h1"))

    def issue(authority: Authority) -> None:
        for files, name in ((server, "nats"), (delivery, "control"), (host, "h1")):
            put(files, authority.files(name))

    issue(first)
    tls = ("--tlsverify", "--tlscacert", server.authority, "--tlscert", server.certificate)
    nats = NatsServer(tmp_path / "nats", *tls, "--tlskey", server.key)
    url = nats.url.replace("nats://", "tls://")

    async def scenario(world: Any) -> None:
        await world.control.tell(record.node("h1"), record.port(1, "h1"))
        await world.control.begin(
            nats=url,
            tls_authority=str(delivery.authority),
            tls_certificate=str(delivery.certificate),
            tls_key=str(delivery.key),
        )
        async with world.by_nats("h1", url, None, OWN, tls=host) as served:
            await served.until(lambda: served.complete == {OWN})
            nats.kill()
            issue(second)
            nats.start()
            await served.until(lambda: served.cuts > 0 and served.complete == {OWN})

    try:
        play(scenario)
    finally:
        nats.kill()


def test_nothing_is_said_to_a_server_that_does_not_speak_tls(
    play: Any, record: Any, tmp_path: Path
) -> None:
    """As somebody between may pretend to be."""
    host = Authority(tmp_path / "authority").files("h1")
    nats = NatsServer(tmp_path / "nats")
    url = nats.url.replace("nats://", "tls://")

    async def scenario(world: Any) -> None:
        await world.control.tell(record.node("h1"), record.port(1, "h1"))
        await world.control.begin(nats=nats.url)
        for tls in (host, None):
            async with world.by_nats("h1", url, None, OWN, tls=tls) as refused:
                await refused.until(lambda refused=refused: refused.events)
                assert refused.events[0].reason == "the server does not speak TLS"
        with pytest.raises(OSError, match="the server does not speak TLS"):
            await connected([url], None, None, allow_reconnect=False)

    try:
        play(scenario)
    finally:
        nats.kill()
