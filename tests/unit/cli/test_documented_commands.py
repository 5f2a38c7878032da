"""What the documents say to type is there: commands, their options, and settings in files."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer._click import Context
from typer.main import get_command

from alcor.agent.config import AgentConfig
from alcor.assembly.config import Config
from alcor.cli.main import app
from alcor.runtime.config import ConfigError, load

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_TYPED = re.compile(r"\s*(?:[A-Z_]+=\S+ )*(?:\S*/)?alcor (.*)")
_SAID = re.compile(r"`(?:[^`\s]*/)?alcor ([^`]+)`")
_BETWEEN = re.compile(r"&&|;|\|\|?|\$\(")


def commands(page: str) -> Iterator[str]:
    """What follows `alcor`: in blocks of shell, and in the text."""
    for language, block in _BLOCK.findall(page):
        if language == "sh":
            for line in re.sub(r"\\\n\s*", " ", block).splitlines():
                found = map(_TYPED.match, _BETWEEN.split(line.partition(" #")[0]))
                yield from (each[1] for each in found if each)
    yield from (said.replace("\n", " ") for said in _SAID.findall(_BLOCK.sub("", page)))


def fault(words: list[str]) -> str:
    """The first word that is no command, or no option of its command; empty: there is none."""
    command: Any = get_command(app)
    context = Context(command)
    for word in words:
        if word.startswith("-"):
            known = {o for p in command.get_params(context) for o in (*p.opts, *p.secondary_opts)}
            if word.partition("=")[0] not in known:
                return word
        elif hasattr(command, "get_command") and not word.isupper():  # KIND: any of them
            command = command.get_command(context, word)
            if command is None:
                return word
            context = Context(command, parent=context)
        elif word.isupper():
            break
    return ""


def test_commands_and_options_of_the_documents_are_there() -> None:
    found = [(page.name, text) for page in PAGES for text in commands(page.read_text())]

    faults = [(*each, wrong) for each in found if (wrong := fault(shlex.split(each[1])))]

    assert len(found) > 80
    assert faults == []


def is_of(type_: type[Config] | type[AgentConfig], path: Path) -> bool:
    try:
        load(type_, path, {"ALCOR_HOST": "h1", "ALCOR_TUNNEL_IP": "192.0.2.1"})
    except ConfigError:
        return False
    return True


def test_settings_of_the_documents_are_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    blocks = [b for page in PAGES for lang, b in _BLOCK.findall(page.read_text()) if lang == "toml"]
    settings = [block for block in blocks if "tokens" not in tomllib.loads(block)]

    assert len(settings) > 3
    for block in settings:
        path.write_text(block)
        assert is_of(Config, path) or is_of(AgentConfig, path), block


@pytest.mark.parametrize("text", ["port lst", "port list --nam x", "agent --hots h1"])
def test_what_is_not_there_is_found(text: str) -> None:
    assert fault(text.split())
