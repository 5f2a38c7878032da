"""What the command line tells of itself."""

import re
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from alcor.cli.kinds import resources
from alcor.cli.main import app
from alcor.cli.resources.commands import commands_of
from alcor.cli.resources.tree import built


@pytest.mark.parametrize("name", resources())
def test_every_command_of_a_kind_is_one_that_can_be_called(name: str) -> None:
    for command, made in commands_of(name).items():
        about, function = made()

        assert about.endswith(".")
        assert built(command, about, function).params


def test_help_says_what_a_field_means() -> None:
    done = CliRunner().invoke(app, ["port", "create", "--help"], env={"COLUMNS": "200"})

    assert "The host that the port's machine is on." in done.stdout
    assert "--security-group" in done.stdout


@pytest.mark.parametrize("words", [("port", "create"), ("network", "list"), ("agent",), ("trace",)])
def test_help_tells_the_names_of_options_whole_in_any_width(words: Sequence[str]) -> None:
    """In 80 columns they were cut: `--port-security-e…`."""

    def names(columns: str) -> set[str]:
        done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": columns})
        assert "…" not in done.output
        return set(re.findall(r"(?m)^  (?:-\w, )?--([\w-]+)", done.output))

    assert names("50") == names("200")
    assert len(names("200")) > 10
