"""What a bench found: tables of figures, for people, for the page and for scripts."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alcor.lab.commands import run
from bench.measure import Spread


class Marks(NamedTuple):
    """Where on the page a report stands."""

    begin: str
    end: str


BENCH = Marks("<!-- bench: begin -->", "<!-- bench: end -->")


def fleet_marks(case: str) -> Marks:
    """Where a case of the fleet's bench stands."""
    return Marks(f"<!-- fleet {case}: begin -->", f"<!-- fleet {case}: end -->")


class Verdict(msgspec.Struct, frozen=True):
    """A target, and whether what was measured met it."""

    target: str
    met: bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One case: its cells as people read them, and its values (seconds, rates, ratios) raw."""

    cells: list[str]
    values: dict[str, float]
    verdict: Verdict | None = None


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table, and a few sentences that say what was done."""

    title: str
    about: str
    columns: list[str]
    rows: list[Row]


class Report(msgspec.Struct, frozen=True):
    """Everything of one run."""

    command: str
    machine: str
    sections: list[Section]


def at_most(limit: float, value: float, what: str = "times") -> Verdict:
    """The target that `value` is at most `limit`."""
    return Verdict(f"at most {limit:.3g} {what}", value <= limit)


def at_least(limit: float, value: float, words: str) -> Verdict:
    """The target that `value` is at least `limit`."""
    return Verdict(words, value >= limit)


def seconds(value: float) -> str:
    """A time in the unit that reads best."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} us"


def between(times: Spread) -> str:
    """A median with its range."""
    return f"{seconds(times.median)} ({seconds(times.low)} to {seconds(times.high)})"


def rate(per_second: float) -> str:
    """Something per second."""
    return f"{per_second:,.0f}/s"


def ratio(value: float) -> str:
    """How many times."""
    return f"{value:.2f}"


def machine_line() -> str:
    """What the figures were measured on."""
    switch = run("ovs-vswitchd", "--version").splitlines()[0].split()[-1]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, Open vSwitch {switch} (userspace datapath)"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def show(console: Console, section: Section) -> None:
    """Print a section, what missed its target in red."""
    table = Table(title=section.title, title_justify="left", title_style="bold")
    for column in [*section.columns, "target"]:
        table.add_column(column)
    for row in section.rows:
        table.add_row(*row.cells, _coloured(row.verdict))
    console.print(table)


def _coloured(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("")
    return Text(_words(verdict), style="green" if verdict.met else "red")


def _words(verdict: Verdict | None) -> str:
    return "" if verdict is None else f"{'met' if verdict.met else 'missed'}: {verdict.target}"


def markdown(report: Report) -> str:
    """The report as it stands on the page."""
    lines = [f"`{report.command}` on {report.machine}.", ""]
    for section in report.sections:
        lines += [f"## {section.title}", "", section.about, ""]
        lines += _markdown_row([*section.columns, "target"])
        lines += _markdown_row(["---"] * (len(section.columns) + 1))
        for row in section.rows:
            lines += _markdown_row([*row.cells, _words(row.verdict)])
        lines.append("")
    return "\n".join(lines)


def _markdown_row(cells: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |"]


def write_page(page: Path, report: Report, marks: Marks = BENCH) -> None:
    """Put the report between its marks on the page; what is around them stays."""
    before, _, rest = page.read_text().partition(marks.begin)
    _, _, after = rest.partition(marks.end)
    page.write_text(f"{before}{marks.begin}\n\n{markdown(report)}\n{marks.end}{after}")


def write_json(path: Path, report: Report) -> None:
    """The report for scripts."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
