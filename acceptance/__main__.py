"""`python -m acceptance [REGEX]`: Tempest's tests against the product, with a real Keystone.

Exit status: 0 when nothing failed, 1 when something did, 2 when the run could not be made. Reasons
of failures and skips, and all logs, stay in `.acceptance/last`.
"""

import argparse
import os
import re
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table

from acceptance.environments import WORK, AcceptanceError
from acceptance.hosts import hosts
from acceptance.keystone import Keystone
from acceptance.product import SHAPES, product
from acceptance.tempest import EVERYTHING, Outcome, Tempest

STATUSES = ("passed", "failed", "skipped")


def main(words: Sequence[str]) -> int:
    """Run what was asked for."""
    options = _options(words)
    regex = options.regex or EVERYTHING
    folder = WORK / "last"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = monotonic()
    try:
        outcomes = _run(folder, regex, options)
    except AcceptanceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _write(folder, outcomes)
    return _show(outcomes, monotonic() - began)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m acceptance", description=__doc__)
    parser.add_argument("regex", nargs="?", default="", help="which tests (all)")
    parser.add_argument("--exclude", default="", help="leave these out (regex)")
    parser.add_argument("--concurrency", type=int, default=2, help="test processes (2)")
    parser.add_argument(
        "--hosts",
        type=int,
        default=1 if os.geteuid() == 0 else 0,
        help="live hosts in namespaces (1 for root, else 0)",
    )
    parser.add_argument(
        "--shape", choices=SHAPES, default=SHAPES[0], help="`alcor up`, or a region of processes"
    )
    return parser.parse_args(words)


def _run(folder: Path, regex: str, options: argparse.Namespace) -> list[Outcome]:
    with ExitStack() as stack:
        keystone = stack.enter_context(Keystone(folder / "keystone"))
        running = stack.enter_context(product(folder / "product", keystone, options.shape))
        keystone.publish(running.endpoint)
        stack.enter_context(hosts(folder, running, keystone, options.hosts))
        tempest = Tempest(folder / "tempest")
        tempest.prepare(keystone, running.endpoint)
        return tempest.run(regex, options.exclude, options.concurrency)


def _write(folder: Path, outcomes: Sequence[Outcome]) -> None:
    failed = [f"=== {o.test}\n{o.reason}\n" for o in outcomes if o.status == "failed"]
    (folder / "failures.log").write_text("".join(failed))
    skipped = sorted(f"{o.test}\t{o.reason}\n" for o in outcomes if o.status == "skipped")
    (folder / "skipped.txt").write_text("".join(skipped))


def _show(outcomes: Sequence[Outcome], seconds: float) -> int:
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
    console.print(f"{figures} in {seconds:.0f} s; reasons in {WORK.name}/last", markup=False)
    return 1 if total["failed"] else 0


def _class_of(test: str) -> str:
    if setting_up := re.match(r"(?:setUp|tearDown)Class \((.*)\)$", test):
        return setting_up[1]
    return re.sub(r"[\[(].*$", "", test).rpartition(".")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
