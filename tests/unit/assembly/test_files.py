"""A file that can't be read is told by the setting that names it, whichever process wants it."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from msgspec import Struct

from alcor.agent.agent import run, tell_unreadable
from alcor.agent.config import AgentConfig
from alcor.assembly.config import Config
from alcor.assembly.embedded import embedded
from alcor.assembly.role import region
from alcor.runtime.config import ConfigError, load, settings_of

KEYSTONE = {"auth": "keystone", "keystone.auth_url": "http://127.0.0.1:9/v3"}
NATS = "nats://127.0.0.1:9"
TLS = ("authority", "certificate", "key")

# What is set beside each file of the control plane.
BESIDE: Mapping[str, Mapping[str, str]] = {
    "tokens_file": {"auth": "tokens"},
    "keystone.password_file": KEYSTONE,
    "keystone.ca_file": KEYSTONE | {"keystone.password_file": "/etc/hostname"},
    "agents.nats_credentials": {"agents.nats": NATS},
    "served.nats_credentials": {"served.nats": NATS},
    "gateway.policy_file": {},
    "gateway.audit": {},
    **{f"agents.tls_{name}": {} for name in TLS},
}
GOES_ON_WITHOUT = ("nats_credentials", "tls_ca", "tls_certificate", "tls_key")  # an agent
ENDS_WITHOUT = {  # an agent
    "metadata_secret_file": {"metadata_url": "http://127.0.0.1:9"},
    "network_log_file": {},
}


def files_of(type_: type[Struct]) -> set[str]:
    """Settings that name a file, as their names tell."""
    names = {setting.name for setting in settings_of(type_)}
    return {name for name in names if re.search(r"_file$|credentials$|\btls_|\baudit$", name)}


def test_every_file_of_the_settings_is_asked_about_here() -> None:
    assert files_of(Config) == set(BESIDE)
    assert files_of(AgentConfig) == {*GOES_ON_WITHOUT, *ENDS_WITHOUT}


async def start(config: Config) -> None:
    """What of the control plane reads the file."""
    if config.served.nats:
        async with region(config, "gateway"):
            return
    async with embedded(config):
        return


@pytest.mark.parametrize("setting", sorted(BESIDE))
def test_a_control_plane_names_the_setting_and_the_file(setting: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "none" / "missing")
    given = {"data": str(tmp_path), "listen": "127.0.0.1:0", "agents.listen": "127.0.0.1:0"}
    if setting.startswith("agents.tls_"):
        given |= {f"agents.tls_{name}": "/etc/hostname" for name in TLS}
    config = load(Config, None, {}, {**given, **BESIDE[setting], setting: missing})

    with pytest.raises(ConfigError) as told:
        asyncio.run(start(config))

    assert str(told.value) == f"{setting} = {missing}: No such file or directory"


def agent_of(tmp_path: Path, **more: Any) -> AgentConfig:
    rundir = str(tmp_path / "ovs")
    return AgentConfig(
        host="h1",
        tunnel_ip="192.0.2.1",
        state_dir=str(tmp_path / "state"),
        ovs_rundir=rundir,
        **more,
    )


@pytest.mark.parametrize("setting", sorted(ENDS_WITHOUT))
def test_an_agent_names_the_setting_and_the_file(setting: str, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("not a folder")
    file = str(tmp_path / "none" / "missing")

    with pytest.raises(ConfigError, match=f"^{setting} = {file}: (Not a directory|File exists)$"):
        asyncio.run(run(agent_of(tmp_path, **ENDS_WITHOUT[setting], **{setting: file})))


@pytest.mark.parametrize("setting", GOES_ON_WITHOUT)
def test_an_agent_without_its_way_to_the_control_plane_says_so_and_serves_its_host(
    setting: str, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing")

    with structlog.testing.capture_logs() as said:
        tell_unreadable(agent_of(tmp_path, **{setting: missing}))

    assert [each["reason"] for each in said] == [
        f"{setting} = {missing}: No such file or directory"
    ]
