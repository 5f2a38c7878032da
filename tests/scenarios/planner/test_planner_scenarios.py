"""Given these commands, which goal state? Each text file is a case; `--update` rewrites answers."""

from collections.abc import Callable
from pathlib import Path

import pytest

CASES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_scenario(case: Path, play: Callable[[Path], None]) -> None:
    play(case)
