"""`python -m bench`: measure, show, and write the page.

Without `--only` and `--quick`, the tables go to docs/reference/performance.md. Exit status 0 unless
something is broken: a missed target is shown, not failed.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import tables
from bench.api import creates, growth, lists, neutron, pages, posts, served
from bench.hosts import firewall, flows, one_more, restart, resting, wiring
from bench.run import Bench
from bench.tables import Report, Section

CASES: dict[str, Callable[[Bench], list[Section]]] = {
    "posts": posts.measure,
    "creates": creates.measure,
    "pages": pages.measure,
    "lists": lists.measure,
    "growth": growth.measure,
    "neutron": neutron.measure,
    "served": served.measure,
    "one-more": one_more.measure,
    "hosts-3": wiring.on_hosts(3),
    "hosts-10": wiring.on_hosts(10),
    "flows": flows.measure,
    "firewall": firewall.measure,
    "restart": restart.measure,
    "resting": resting.measure,
}
_wide = 150  # columns, where no terminal says how many
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"


def main(words: Sequence[str]) -> int:
    """Run what was asked for."""
    options = _options(words)
    console = Console() if sys.stdout.isatty() else Console(width=_wide)
    names = options.only or list(CASES)
    began = monotonic()
    report = Report(" ".join(["python -m bench", *words]), tables.machine_line(), [])
    for name in names:
        for section in _run(console, name, options):
            report.sections.append(section)
            tables.show(console, section)
    console.print(f"{monotonic() - began:.0f} s on {report.machine}")
    if options.json:
        tables.write_json(options.json, report)
    if not options.only and not options.quick:
        tables.write_page(PAGE, report)
        console.print(f"written to {PAGE.relative_to(PAGE.parents[2])}")
    return 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(CASES), help="this case (can be repeated)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller tables")
    parser.add_argument(
        "--neutron", default="", metavar="URL", help="compare with this Neutron (no authentication)"
    )
    parser.add_argument(
        "--rows",
        type=int,
        default=0,
        metavar="N",
        help="of the larger table where two sizes are compared (pages, lists, growth); ports that "
        "a region of processes has before (served)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for scripts")
    return parser.parse_args(words)


def _run(console: Console, name: str, options: argparse.Namespace) -> list[Section]:
    folder = Path(tempfile.mkdtemp(prefix="alcor-bench-"))
    shape = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        with Progress(*shape, console=console, transient=True) as progress:
            task = progress.add_task(name)

            def tell(what: str) -> None:
                progress.update(task, description=f"{name}: {what}")

            bench = Bench(folder, options.quick, options.neutron, tell, options.rows)
            return CASES[name](bench)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
