"""Settings: defaults, then the file, then the environment; what is unknown is refused."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from alcor.runtime.config import ConfigError, load, settings_of, without_login


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    size_max: Annotated[int, msgspec.Meta(ge=1, description="Largest size, in bytes")] = 5
    quick: bool = False


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(description="What it is called")] = "x"
    inner: Inner = Inner()
    form: Annotated[
        str, msgspec.Meta(pattern="^(json|console)$", description="json or console")
    ] = "json"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.toml"
    path.write_text(text)
    return path


def test_without_a_word_everything_is_the_default() -> None:
    assert load(Outer, None, {}) == Outer()


def test_the_environment_goes_before_the_file_and_the_file_before_the_defaults(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, 'name = "f"\n[inner]\nsize_max = 7\n')

    found = load(Outer, path, {"ALCOR_INNER__SIZE_MAX": "8", "ALCOR_INNER__QUICK": "true"})

    assert found == Outer(name="f", inner=Inner(size_max=8, quick=True))


def test_variables_of_the_command_line_are_no_settings() -> None:
    environment = {"ALCOR_ENDPOINT": "http://192.0.2.1:9696", "ALCOR_TOKEN": "t"}

    assert load(Outer, None, environment) == Outer()
    assert load(Inner, None, {"ALCOR_OUTER__OF_ANOTHER_PROCESS": "1"}) == Inner()


def test_options_go_before_the_environment() -> None:
    environment = {"ALCOR_NAME": "e", "ALCOR_INNER__SIZE_MAX": "8"}

    found = load(Outer, None, environment, {"name": "o", "inner.quick": True})

    assert found == Outer(name="o", inner=Inner(size_max=8, quick=True))


@pytest.mark.parametrize(
    ("text", "environment", "message"),
    [
        ("nam = 1", {}, "no such setting: nam"),
        ("[inner]\nsize = 1", {}, "no such setting: inner.size"),
        ("name = ", {}, "a.toml"),
        ("[inner]\nsize_mx = 1", {}, r"a\.toml: .*size_mx; did you mean inner.size_max\?"),
        ("", {"ALCOR_INNER__SIZE_MX": "1"}, r"SIZE_MX; did you mean ALCOR_INNER__SIZE_MAX\?"),
        ("name = 5", {}, r"a\.toml: name: expected `str`, got `int` \(What it is called\)"),
        ("[inner]\nsize_max = 0", {}, r"a\.toml: inner.size_max: .* \(Largest size, in bytes\)"),
        ("", {"ALCOR_INNER__SIZE_MAX": "many"}, "^ALCOR_INNER__SIZE_MAX: inner.size_max: "),
        ('form = "xml"', {}, r"form: it can't be so \(json or console\)"),
    ],
)
def test_what_can_not_be_used_is_refused_by_name(
    tmp_path: Path, text: str, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load(Outer, written(tmp_path, text), environment)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    host: Annotated[str, msgspec.Meta(description="The host's name")]


def test_what_must_be_said_is_asked_for_by_name() -> None:
    how = r"by a file of settings, an option or ALCOR_HOST"
    with pytest.raises(ConfigError, match=rf"^host: it must be said, {how} \(The host's name\)$"):
        load(Told, None, {})


def test_an_option_that_is_no_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no such setting: nam; did you mean name\?"):
        load(Outer, None, {}, {"nam": "x"})


def test_every_setting_can_be_listed_with_its_words() -> None:
    name, size, quick, _ = settings_of(Outer)

    assert (name.name, name.environment, name.default) == ("name", "ALCOR_NAME", "x")
    assert (size.name, size.type, size.description) == (
        "inner.size_max",
        "int",
        "Largest size, in bytes",
    )
    assert quick.default is False


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://alice:se@cret@host:4222", "nats://host:4222"),
        ("token@host:4222", "host:4222"),
        ("postgresql://host/a?sslmode=require", "postgresql://host/a?sslmode=require"),
        ("postgresql://host/a?password=secret&user=b", "postgresql://host/a?password=...&user=b"),
        ("host=h sslpassword='se cret' dbname=a", "host=h sslpassword=... dbname=a"),
    ],
)
def test_where_a_server_is_is_shown_without_a_password(url: str, shown: str) -> None:
    assert without_login(url) == shown
