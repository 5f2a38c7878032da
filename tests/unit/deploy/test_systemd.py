"""The units for systemd: systemd understands them, they run what is there, and it may write."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from alcor.agent.config import AgentConfig
from alcor.cli.main import app
from alcor.cli.operating.serve import Role

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
GUIDE = (ROOT / "docs" / "guide" / "region.md").read_text()
EACH = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.name))


def service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=True)  # a key that is there twice is a fault
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    assert set(parser) == {"DEFAULT", "Unit", "Service", "Install"}
    return parser["Service"]


@EACH
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    installed = tmp_path / unit.name
    here = f"ExecStart={sys.executable} "
    installed.write_text(re.sub(r"^ExecStart=\S+ ", here, unit.read_text(), flags=re.M))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", installed],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@EACH
def test_a_unit_runs_what_the_guide_installs_with_the_file_that_it_writes(unit: Path) -> None:
    program, *words = service(unit)["ExecStart"].split()
    _, file = words[-2:]

    assert words[-2] == "--config"
    assert f"{program} version" in GUIDE
    assert f"# {file}\n" in GUIDE
    assert re.search(rf"systemctl enable --now {unit.stem}(managers)?`?\b", GUIDE)
    for role in Role if "%i" in words else [""]:
        call = [word.replace("%i", role) for word in words[:-1]]
        done = CliRunner().invoke(app, [*call, "no-such-file"])
        assert "no-such-file" in done.output, done.output  # so far every word was understood


@EACH
def test_who_ends_is_started_again_however_often(unit: Path) -> None:
    assert service(unit)["Restart"] == "always"
    assert "\nStartLimitIntervalSec=0\n" in unit.read_text()


def test_an_agent_may_write_where_it_keeps_its_goal_state() -> None:
    (unit,) = [each for each in UNITS if each.stem == "alcor-agent"]
    (field,) = [each for each in msgspec.structs.fields(AgentConfig) if each.name == "state_dir"]

    assert service(unit)["ProtectSystem"] == "strict"
    assert f"/var/lib/{service(unit)['StateDirectory']}" == field.default


def test_the_control_plane_may_write_where_the_guide_has_its_data() -> None:
    (unit,) = [each for each in UNITS if each.stem == "alcor"]

    assert f'data = "/var/lib/{service(unit)["StateDirectory"]}"' in GUIDE
    assert f"useradd --system --home-dir /var/lib/alcor {service(unit)['User']} " in GUIDE


@pytest.mark.parametrize("kind", ["StateDirectory", "LogsDirectory"])
def test_a_folder_is_not_given_to_two_users(kind: str) -> None:
    """Whoever starts gets all of its own, so an agent beside a control plane would take it away."""
    users: dict[str, set[str]] = {}
    for unit in UNITS:
        users.setdefault(service(unit)[kind], set()).add(service(unit).get("User", "root"))

    assert {folder: who for folder, who in users.items() if len(who) > 1} == {}


def test_a_process_ends_before_the_servers_that_it_may_have_beside_it() -> None:
    """systemd stops in the reverse of the order that `After=` says."""
    after = {unit.stem: re.findall(r"^After=(.*)$", unit.read_text(), re.M) for unit in UNITS}
    servers = {name: set(" ".join(lines).split()) for name, lines in after.items()}

    assert {"postgresql.service", "nats-server.service"} <= servers["alcor@"]
    assert "postgresql.service" in servers["alcor"]
    assert "openvswitch-switch.service" in servers["alcor-agent"]
