"""What became of tests: as files with reasons, and as a table."""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

STATUSES = ("passed", "failed", "skipped")


class Outcome(NamedTuple):
    """What became of one test; `reason` of a failure is its traceback, of a skip its words."""

    test: str
    status: str  # passed, failed, skipped
    reason: str
    seconds: float


def write(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Keep the reasons of failures and skips."""
    failed = [f"=== {o.test}\n{o.reason}\n" for o in outcomes if o.status == "failed"]
    (folder / "failures.log").write_text("".join(failed))
    skipped = sorted(f"{o.test}\t{o.reason}\n" for o in outcomes if o.status == "skipped")
    (folder / "skipped.txt").write_text("".join(skipped))


def show(outcomes: Sequence[Outcome], seconds: float, where: str) -> int:
    """Print counts and names of failures; an exit status: 1 when something failed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        counts[_class_of(outcome.test)][outcome.status] += 1
    total = sum(counts.values(), Counter[str]())
    console = Console() if sys.stdout.isatty() else Console(width=140)
    table = Table("class", *STATUSES)
    for name in sorted(counts):
        table.add_row(name, *(str(counts[name][status] or "") for status in STATUSES))
    console.print(table)
    for outcome in outcomes:
        if outcome.status == "failed":
            console.print(f"failed: {outcome.test}", markup=False, soft_wrap=True)
    figures = ", ".join(f"{total[status]} {status}" for status in STATUSES)
    console.print(f"{figures} in {seconds:.0f} s; reasons in {where}", markup=False)
    return 1 if total["failed"] else 0


def _class_of(test: str) -> str:
    if setting_up := re.match(r"(?:setUp|tearDown)Class \((.*)\)$", test):
        return setting_up[1]
    return re.sub(r"[\[(].*$", "", test).rpartition(".")[0]
