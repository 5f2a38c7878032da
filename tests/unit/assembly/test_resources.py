"""A gateway on its own declares what the managers keep."""

import asyncio
from pathlib import Path

import msgspec

from alcor.assembly.config import Config
from alcor.assembly.control import Control
from alcor.assembly.resources import TELLING, declared
from alcor.keyed_log.memory import MemoryLog


def test_a_gateway_declares_what_the_managers_keep(tmp_path: Path) -> None:
    config = Config()
    log = MemoryLog(1)
    control = Control(tmp_path, log, log, config, lambda: 0.0, lambda: "id")

    told = [(resource.name, resource.path) for resource, _ in control.resources]

    assert [(resource.name, resource.path) for resource in declared()] == told
    assert list(TELLING) == control.telling
    for mine, theirs in zip(declared(), control.resources, strict=True):
        assert msgspec.json.encode(sorted(mine.defaults)) == msgspec.json.encode(
            sorted(theirs[0].defaults)
        )
    asyncio.run(control.close())
