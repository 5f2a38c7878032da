"""A gateway on its own declares what the managers keep, and every record is some manager's."""

import asyncio
from pathlib import Path

import msgspec

from alcor.assembly.config import Config
from alcor.assembly.control import Control
from alcor.assembly.resources import declared
from alcor.gateway.description.discovery import EXTENSIONS
from alcor.intent.records import MANAGERS, TYPE_BY_KIND, Record
from alcor.keyed_log.memory import MemoryLog


def test_a_gateway_declares_what_the_managers_keep(tmp_path: Path) -> None:
    config = Config()
    log = MemoryLog(1)
    control = Control(tmp_path, log, log, config, lambda: 0.0, lambda: "id")

    told = [(resource.name, resource.path) for resource, _ in control.resources]

    assert [(resource.name, resource.path) for resource in declared()] == told
    assert list(MANAGERS) == control.telling
    for mine, theirs in zip(declared(), control.resources, strict=True):
        assert msgspec.json.encode(sorted(mine.defaults)) == msgspec.json.encode(
            sorted(theirs[0].defaults)
        )
    asyncio.run(control.close())


def test_what_a_gateway_declares_is_announced_as_it_serves_nothing_else() -> None:
    announced = {extension.alias for extension in EXTENSIONS}
    assert {resource.extension for resource in declared()} - {""} <= announced


def test_every_kind_of_record_has_a_manager_that_tells_it() -> None:
    assert sorted(map(repr, TYPE_BY_KIND.values())) == sorted(map(repr, Record.__subclasses__()))
