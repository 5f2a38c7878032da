"""Whoever asks how the managers are is answered soon, also while a database is away."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from alcor.assembly import control
from alcor.assembly.control import opens
from alcor.values.errors import Unavailable

T = TypeVar("T")


class Away:
    """A database whose server does not answer: work waits for it, for as long as that may be."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        await asyncio.sleep(self._patience_s)
        raise Unavailable("the database does not answer")


@pytest.mark.parametrize("patience_s", [0.0, 3_600.0])
def test_a_database_that_does_not_answer_now_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, patience_s: float
) -> None:
    """Probes have a limit of their own, after which nobody reads which database it is."""
    monkeypatch.setattr(control, "opens_s_max", 0.01)
    database: Any = Away(patience_s)

    async def scene() -> None:
        async with asyncio.timeout(30):
            assert not await opens(database)

    asyncio.run(scene())
