"""What fuzzing has found before is survived still, and a fault would be noticed."""

import random
from pathlib import Path

import pytest
from fuzz.engine import fuzz
from fuzz.entries import ENTRIES, Entry

CORPUS = Path(__file__).parents[3] / "fuzz" / "corpus"


@pytest.mark.parametrize("name", ENTRIES)
def test_every_kept_input_is_survived(name: str) -> None:
    entry = ENTRIES[name]
    kept = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]

    assert kept
    for data in (*entry.seeds, *kept):
        entry.run(data)


def test_a_parser_that_raises_is_found(tmp_path: Path) -> None:
    def parse(data: bytes) -> None:
        if data[:1] == b"\xff":
            raise IndexError("not this one")

    outcome = fuzz(Entry(parse, [b"abc"]), tmp_path, 30.0, random.Random(1))

    assert outcome.fault is not None
    assert "not this one" in outcome.fault.why
