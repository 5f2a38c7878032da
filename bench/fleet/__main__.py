"""`python -m bench.fleet`: measure a fleet, show it, and write each case to the page."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench import tables
from bench.__main__ import PAGE
from bench.fleet import cases, holding, messages, vast
from bench.run import Bench
from bench.tables import Report, Section

CASES: dict[str, Callable[[Bench], list[Section]]] = {
    "growing": cases.growing,
    "wide": cases.wide,
    "widest": cases.widest,
    "vast": vast.vast,
    "messages": messages.messages,
    "holding": holding.holding,
}
_wide = 150  # columns


def main(words: Sequence[str]) -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser("python -m bench.fleet", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(CASES))
    parser.add_argument(
        "--quick", action="store_true", help="smaller fleets and networks, not written to the page"
    )
    options = parser.parse_args(words)
    console = Console(width=_wide)
    for name in options.only or list(CASES):
        load = os.getloadavg()[0]
        folder = Path(tempfile.mkdtemp(prefix="alcor-fleet-"))
        try:
            sections = CASES[name](Bench(folder, options.quick, "", console.print))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        for section in sections:
            tables.show(console, section)
        if not options.quick:
            command = f"python -m bench.fleet --only {name}"
            machine = f"{tables.machine_line()}; {load:.0f} processes wanted to run before"
            report = Report(command, machine, sections)
            tables.write_page(PAGE, report, tables.fleet_marks(name))
            console.print(f"written to {PAGE.relative_to(PAGE.parents[2])}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
