"""Name the total of what `tools/test` ran, from pytest's JUnit files.

A file `*.again.xml` holds the second run of those that failed in the first.
"""

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
OUTCOMES = {"failure": FAILED, "error": FAILED, "skipped": SKIPPED}


def _outcomes(path: Path) -> Iterator[tuple[str, str]]:
    for case in ET.parse(path).getroot().iter("testcase"):
        marks = {OUTCOMES[element.tag] for element in case if element.tag in OUTCOMES}
        outcome = FAILED if FAILED in marks else SKIPPED if marks else PASSED
        yield f"{case.get('classname')}.{case.get('name')}", outcome


def count(paths: list[Path]) -> str:
    """Return the lines to print: who passed only when asked again, and the total."""
    first: dict[str, str] = {}
    again: dict[str, str] = {}
    for path in paths:
        outcomes = again if path.name.endswith(".again.xml") else first
        for name, outcome in _outcomes(path):
            if outcomes.get(name) != FAILED:  # a test may pass and its teardown fail
                outcomes[name] = outcome
    mended = [name for name, outcome in again.items() if outcome == PASSED != first.get(name)]
    final = [*(first | dict.fromkeys(mended, PASSED)).values()]
    totals = [f"{final.count(outcome)} {outcome}" for outcome in (PASSED, FAILED, SKIPPED)]
    notice = "failed beside others and passed by itself, to be looked into:"
    return "\n".join([*(f"{notice} {name}" for name in mended), "total: " + ", ".join(totals)])


if __name__ == "__main__":
    sys.stdout.write(count([Path(name) for name in sys.argv[1:]]) + "\n")
