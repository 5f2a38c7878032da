"""Settings: one TOML file, the environment over it, then options; unknown names are refused.

A settings type is a frozen msgspec struct of structs; every field says in its `Meta` what it is
and in which unit. The environment's name of `[network] mtu_max` is `ALCOR_NETWORK__MTU_MAX`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import inspect as types

T = TypeVar("T", bound=msgspec.Struct)

PREFIX = "ALCOR_"
_PASSWORD = re.compile(r"\b((?:ssl)?password=)(?:'[^']*'|[^&\s]+)")  # of libpq's parameters
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_PATTERN = "matching regex"  # our descriptions say it better


class ConfigError(Exception):
    """The settings can't be used; the message says which and why."""


class Setting(NamedTuple):
    """One setting, for people: `name` is its section and name in the file."""

    name: str
    environment: str
    type: str
    default: Any
    description: str


def load(
    type_: type[T],
    path: Path | None,
    environment: Mapping[str, str],
    options: Mapping[str, object] = MappingProxyType({}),
) -> T:
    """The settings of a file (None: no file), the environment, and options that were given, by
    name; `ConfigError` when malformed."""
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: {error}") from error
    settings = settings_of(type_)
    _refuse_unknown(values, settings, str(path))
    of_file = _names(values)
    _refuse_unknown_variables(environment, settings)
    for setting in settings:
        if setting.environment in environment:
            _put(values, setting.name, environment[setting.environment])
    _refuse_unknown(dict(options), settings, "")
    for name, value in options.items():
        _put(values, name, value)
    try:
        return msgspec.convert(values, type_, strict=False)
    except msgspec.ValidationError as error:
        of_environment = {s.name for s in settings if s.environment in environment} - options.keys()
        wrong = _wrong(str(error), settings)
        if wrong is None:
            raise ConfigError(str(error)) from error
        setting, why = wrong
        source = f"{path}: " if setting.name in of_file - of_environment - options.keys() else ""
        source = f"{setting.environment}: " if setting.name in of_environment else source
        raise ConfigError(f"{source}{setting.name}: {why} ({setting.description})") from error


def _refuse_unknown(values: Mapping[str, Any], settings: Sequence[Setting], where: str) -> None:
    """`ConfigError` for names that are no setting's, with what may have been meant."""
    names = [setting.name for setting in settings]
    unknown = sorted(_names(values) - set(names))
    if not unknown:
        return
    near = get_close_matches(unknown[0], names, 1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"{where and where + ': '}no such setting: {', '.join(unknown)}{meant}")


def _refuse_unknown_variables(environment: Mapping[str, str], settings: Sequence[Setting]) -> None:
    """`ConfigError` for variables that are named as settings of sections are, and are none. Others
    (`ALCOR_ENDPOINT`) may be the command line's; an agent has no sections, and knows of none."""
    names = [each.environment for each in settings if "." in each.name]
    unknown = [
        each
        for each in sorted(environment)
        if names and each.startswith(PREFIX) and "__" in each and each not in names
    ]
    if unknown:
        near = get_close_matches(unknown[0], names, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"environment: no such setting: {', '.join(unknown)}{meant}")


def _wrong(message: str, settings: Sequence[Setting]) -> tuple[Setting, str] | None:
    """Which setting msgspec means, and why it refused it."""
    why, _, place = message.partition(" - at `$.")
    missing = _MISSING.fullmatch(why)
    if missing:
        place = missing[1]
    elif _PATTERN in why:
        why = "it can't be so"
    found = [setting for setting in settings if setting.name == place.removesuffix("`")]
    if not found:
        return None
    if missing:
        why = f"it must be said, by a file of settings, an option or {found[0].environment}"
    return found[0], why[:1].lower() + why[1:]


def file_of(setting: str, path: str) -> bytes:
    """What the file holds that a setting names; `ConfigError` when it can't be read."""
    with needed(setting, path):
        return Path(path).expanduser().read_bytes()


@contextmanager
def needed(setting: str, value: str) -> Iterator[None]:
    """`ConfigError`, by the setting's name, when the address or folder it names can't be had."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{setting} = {value}: {why}") from error


def endpoint(setting: str, text: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`; `ConfigError` when it is neither."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(f"{setting} = {text}: it is to be HOST:PORT, as in 127.0.0.1:9696")
    return host.strip("[]"), int(port)


def without_login(url: str) -> str:
    """A URL without what it may say of who asks, before its host or as a parameter."""
    head, _, tail = url.rpartition("@")
    scheme, named, _ = head.partition("://")
    return _PASSWORD.sub(r"\1...", f"{scheme}{named}{tail}" if named else tail)


def settings_of(type_: type[msgspec.Struct]) -> list[Setting]:
    """Every setting of a type, in order."""
    return list(_settings(type_, ""))


def _settings(type_: type[msgspec.Struct], section: str) -> Iterator[Setting]:
    for field, described in zip(
        msgspec.structs.fields(type_), _described(type_).fields, strict=True
    ):
        name = f"{section}{field.name}"
        inner = described.type
        if isinstance(inner, types.StructType):
            yield from _settings(inner.cls, f"{name}.")
            continue
        description = ""
        if isinstance(inner, types.Metadata):
            description = (inner.extra_json_schema or {}).get("description", "")
            inner = inner.type
        kind = " or ".join(map(_kind, getattr(inner, "types", (inner,))))
        environment = PREFIX + name.upper().replace(".", "__")
        yield Setting(name, environment, kind, field.default, description)


def _kind(type_: types.Type) -> str:
    return type(type_).__name__.removesuffix("Type").lower()


def _described(type_: type[msgspec.Struct]) -> types.StructType:
    described = types.type_info(type_)
    assert isinstance(described, types.StructType)
    return described


def _names(values: Mapping[str, Any], section: str = "") -> set[str]:
    names: set[str] = set()
    for name, value in values.items():
        if isinstance(value, dict):
            names |= _names(value, f"{section}{name}.")
        else:
            names.add(f"{section}{name}")
    return names


def _put(values: dict[str, Any], name: str, value: object) -> None:
    *sections, last = name.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[last] = value
