"""The page of faults of others names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "pains.md"
NAMED = re.compile(r"`((?:api|unit|contract|scenarios|system)/[\w/]+\.py)(?:::(\w+))?`")


def test_every_case_names_a_test_that_exists_or_says_why_it_cannot_arise() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.read_text().splitlines() if line[:3] == "| P"]
    assert len(rows) >= 65
    for case, _, here in rows:
        named = NAMED.findall(here)
        assert named or len(here.split()) > 5, case
        for file, test in named:
            text = (ROOT / "tests" / file).read_text()
            assert not test or f"def {test}(" in text, f"{case}: {file} has no {test}"
