"""What is wrong at the first start is told in one line, by the setting, and nothing starts."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
import structlog
from tests.conftest import NatsServer, PostgresServer

from alcor.agent.agent import run as run_agent
from alcor.agent.config import AgentConfig
from alcor.assembly import role, roles
from alcor.assembly.config import Config
from alcor.assembly.embedded import embedded
from alcor.keyed_log.jetstream import ask_again_s
from alcor.lab.waiting import wait_until
from alcor.runtime.config import ConfigError, load

HOST = {"host": "h1", "tunnel_ip": "192.0.2.1"}


def told_by_control_plane(**settings: Any) -> str:
    given = {name.replace("__", "."): value for name, value in settings.items()}

    async def started() -> None:
        async with embedded(load(Config, None, {}, given)):
            return

    with pytest.raises(ConfigError) as told:
        asyncio.run(started())
    return str(told.value)


def told_by_agent(tmp_path: Path, **settings: str) -> str:
    given = HOST | {"state_dir": str(tmp_path), "ovs_rundir": str(tmp_path)} | settings

    with pytest.raises(ConfigError) as told:
        asyncio.run(run_agent(load(AgentConfig, None, {}, given)))
    return str(told.value)


def told_by_managers(**served: str) -> str:
    given = {f"served.{name}": value for name, value in served.items()}

    with pytest.raises(ConfigError) as told:
        asyncio.run(roles.managers(load(Config, None, {}, given)))
    return str(told.value)


@pytest.mark.parametrize(
    ("start", "setting"),
    [
        (roles.gateway, "listen"),
        (roles.managers, "served.health_listen"),
        (roles.delivery, "served.health_listen"),
        (roles.delivery, "agents.listen"),
    ],
)
def test_no_role_lets_everybody_in_unless_it_is_told_to(start: Any, setting: str) -> None:
    given = {"served.nats": "nats://127.0.0.1:1", "served.postgres": "postgresql:///{manager}"}

    with pytest.raises(ConfigError, match=rf"{setting} = 0\.0\.0\.0:0 would .* everybody"):
        asyncio.run(start(load(Config, None, {}, given | {setting: "0.0.0.0:0"})))


@pytest.mark.parametrize("wrong", ["127.0.0.1:99999", "127.0.0.1", "here:there"])
def test_what_is_no_address_is_told_with_its_setting(wrong: str, tmp_path: Path) -> None:
    why = f"{wrong}: it is to be HOST:PORT, as in 127.0.0.1:9696"

    assert told_by_control_plane(data=str(tmp_path), listen=wrong) == f"listen = {why}"
    told = told_by_control_plane(data=str(tmp_path), listen="127.0.0.1:0", agents__listen=wrong)
    assert told == f"agents.listen = {why}"
    assert told_by_agent(tmp_path, metrics_listen=wrong) == f"metrics_listen = {why}"
    told = told_by_agent(tmp_path, control_plane=f"127.0.0.1:9697, {wrong}")
    assert told == f"control_plane = {why}"


def test_an_address_that_somebody_has_is_told_with_its_setting(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        told = told_by_agent(tmp_path, metrics_listen=address)

    assert told == f"metrics_listen = {address}: Address already in use"


@pytest.mark.parametrize("setting", ["log_level", "log_form", "datapath_type"])
def test_a_word_that_an_agent_does_not_know_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match=f"^{setting}: it can't be so"):
        load(AgentConfig, None, {}, HOST | {setting: "loud"})


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://db/alcor", "each manager has a database of its own: {manager} stands"),
        ("postgres:/me:secret@db/{manager}", "it is no URL as in postgresql://host/"),
        ("postgresql://me:secret@db/{manager}?sslmod=require", "it is no URL as in postgresql:"),
    ],
)
def test_a_url_that_is_none_of_databases_is_refused_and_its_password_not_told(
    url: str, why: str
) -> None:
    told = told_by_managers(nats="nats://127.0.0.1:9", postgres=url)

    assert told.startswith("served.postgres = ")
    assert why in told
    assert "secret" not in told


def test_a_database_elsewhere_of_no_manager_is_refused_and_its_password_not_told() -> None:
    """The whole of it was told, and so it was in the log."""
    elsewhere = "postgresql://me:secret@db/ports"
    some = {"postgres": "postgresql://db/{manager}", "postgres_elsewhere": elsewhere}

    told = told_by_managers(nats="nats://127.0.0.1:9", **some)

    assert told == "served.postgres_elsewhere: 'postgresql://db/ports' is not manager=URL"


def test_managers_without_databases_or_nats_are_told_what_they_need() -> None:
    assert told_by_managers().startswith("alcor serve managers needs served.postgres, as in")


def test_who_has_no_role_on_the_server_of_databases_is_told_so(
    postgres: PostgresServer, nats_server: NatsServer
) -> None:
    url = postgres.url("mistake_{manager}").replace("alcor@", "nobody:secret@")

    told = told_by_managers(nats=nats_server.url, postgres=url)

    assert told.startswith("served.postgres = postgresql:///mistake_network?")
    assert 'role "nobody" does not exist' in told
    assert "\n" not in told
    assert "secret" not in told


def test_a_nats_server_that_does_not_let_us_in_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role, "connect_s_max", 2.0)
    server = NatsServer(tmp_path / "nats", "--user", "us", "--pass", "secret")
    try:
        with pytest.raises(ConfigError, match=r"does not let us in: .*Authorization Violation"):
            asyncio.run(roles.gateway(load(Config, None, {}, {"served.nats": server.url})))
    finally:
        server.kill()


@pytest.mark.parametrize("setting", ["served.nats", "agents.nats"])
@pytest.mark.parametrize(
    ("servers", "shown"),
    [
        ("nats://u:secret@127.0.0.1:4222,", "nats://127.0.0.1:4222,"),
        ("nats://a:4222,tls://u:sec,ret@b:4222", "nats://a:4222,tls://b:4222"),
        ("nats://a:4222,nats://b:port", "nats://a:4222,nats://b:port"),
        ("http://a:4222", "http://a:4222"),
    ],
)
def test_what_is_no_list_of_nats_servers_is_refused_by_the_name_of_the_setting(
    setting: str, servers: str, shown: str
) -> None:
    config = load(Config, None, {}, {setting: servers})

    async def begin() -> None:
        if config.agents.nats:
            config.agents.nats_servers()
        await roles.gateway(config)

    with pytest.raises(ConfigError) as refused:
        asyncio.run(begin())

    assert str(refused.value).startswith(f"{setting} = {shown}: ")


@pytest.fixture
def without_jetstream() -> Iterator[str]:
    """The URL of a NATS server that keeps nothing."""
    with create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    program = Path(sys.executable).with_name("nats-server")
    with subprocess.Popen(
        [program, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    ) as server:
        yield f"nats://127.0.0.1:{port}"
        server.kill()


def test_nats_without_jetstream_is_told_once_for_each_log(without_jetstream: str) -> None:
    given = {
        "served.nats": without_jetstream,
        "agents.listen": "127.0.0.1:0",
        "served.health_listen": "127.0.0.1:0",
    }

    with structlog.testing.capture_logs() as said:

        def lost() -> list[Any]:
            return [each for each in said if each["event"] == "log.lost_stream"]

        async def tries() -> None:
            running = asyncio.create_task(roles.delivery(load(Config, None, {}, given)))
            await asyncio.to_thread(wait_until, "both logs", lambda: len(lost()) > 1, 60.0)
            await asyncio.sleep(4 * ask_again_s)  # in which each is tried again, several times
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        asyncio.run(tries())

    assert sorted(each["stream"] for each in lost()) == ["alcor_intent", "alcor_reports"]
    assert all("is it enabled (jetstream {}" in each["why"] for each in lost())
