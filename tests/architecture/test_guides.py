"""What pages tell readers to type is there: settings, variables, commands and their options."""

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from alcor.agent.config import AgentConfig
from alcor.assembly.config import Config
from alcor.cli.main import app
from alcor.runtime.config import load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS_BY_FILE: dict[str, type[Any]] = {"server.toml": Config, "agent.toml": AgentConfig}


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """The blocks of code in a language, and the page of each."""
    for page in PAGES:
        for block in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S):
            yield str(page.relative_to(ROOT)), block


def commands() -> Iterator[tuple[str, str]]:
    """The calls of `alcor` in blocks of shell and between backquotes, and the page of each."""
    for page, block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield from ((page, each.strip()) for each in line.partition("# ")[0].split(";"))
    for path in PAGES:
        for call in re.findall(r"`(alcor [^`]+)`", path.read_text()):
            yield str(path.relative_to(ROOT)), call


CALLS = sorted(each for each in {*commands()} if re.match(r"alcor (?!KIND)", each[1]))


@pytest.mark.parametrize(("page", "block"), [*blocks("toml")])
def test_settings_that_a_page_shows_can_be_loaded(page: str, block: str, tmp_path: Path) -> None:
    """Each block says in its first line which file it is of."""
    file = tmp_path / "settings.toml"
    file.write_text(block)
    (of,) = [kind for name, kind in SETTINGS_BY_FILE.items() if name in block.splitlines()[0]]
    needed = {"host": "h1", "tunnel_ip": "192.0.2.1"} if of is AgentConfig else {}

    load(of, file, {f"ALCOR_{name.upper()}": value for name, value in needed.items()})


def variables(files: Iterable[Path]) -> set[str]:
    """Those that these name."""
    return {each for file in files for each in re.findall(r"\bALCOR_\w+", file.read_text())}


def test_variables_that_pages_name_are_read() -> None:
    """By a setting (`docs/reference/configuration.md` is made of these), or in the code."""
    configuration = ROOT / "docs" / "reference" / "configuration.md"
    read = variables([*(ROOT / "src").rglob("*.py"), configuration])

    assert sorted(variables(PAGES) - read) == []


def options_of(command: Any) -> set[str]:
    return {each for one in command.params for each in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize(("page", "call"), CALLS)
def test_commands_that_a_page_shows_are_there(page: str, call: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(call)[1:]
    known = options_of(command) | {"--help", "--install-completion"}
    while words and hasattr(command, "get_command") and not words[0].startswith("-"):
        command = command.get_command(None, words.pop(0))
        assert command is not None, f"no such command: {call}"
        known |= options_of(command)

    for word in words:
        if word == "--":
            break
        if word.startswith("-"):
            assert word.partition("=")[0] in known, f"no such option: {word}"
