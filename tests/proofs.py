"""What system tests prove by packets, as a run has recorded it.

A test says with `@pytest.mark.proves(FEATURE, FAMILIES, PLACES)` what is true if all of its cases
pass: `same` for machines (or a service) on one host, `across` for machines on two. A run with
`--update` writes down those that passed.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "system"
RECORD = FOLDER / "proofs.txt"
FAMILIES, PLACES = ("IPv4", "IPv6"), ("same", "across")


class Proof(NamedTuple):
    """One test, and what it proves."""

    feature: str
    families: str
    places: str
    test: str  # FILE::FUNCTION

    def __str__(self) -> str:
        return " | ".join(self)


def claimed() -> list[Proof]:
    """What the tests say of themselves, in order."""
    return sorted(
        Proof(*claim, f"{path.name}::{function.name}")
        for path in FOLDER.glob("test_*.py")
        for function in ast.parse(path.read_text()).body
        if isinstance(function, ast.FunctionDef)
        for claim in _claims(function)
    )


def _claims(function: ast.FunctionDef) -> Iterator[tuple[str, str, str]]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.proves":
            feature, families, places = map(ast.literal_eval, decorator.args)
            assert set(families.split()) <= set(FAMILIES), function.name
            assert set(places.split()) <= set(PLACES), function.name
            yield feature, families, places


def recorded() -> list[Proof]:
    """What was true when it was last asked."""
    return [Proof(*line.split(" | ")) for line in RECORD.read_text().splitlines()]


def record(passed: Iterable[str], failed: Iterable[str]) -> None:
    """Write down what a run has found of some tests; of others nothing changes."""
    now, no_more = set(passed), set(failed)
    before = {each.test for each in recorded()} if RECORD.exists() else set()
    held = (before | now) - no_more
    RECORD.write_text("".join(f"{each}\n" for each in claimed() if each.test in held))


def page() -> str:
    """A table of features, and the tests behind each."""
    proofs = recorded()
    heads = [f"{family}, {place}" for family in FAMILIES for place in PLACES]
    lines = [
        "# What packets prove",
        "",
        "Generated from `tests/system/proofs.txt`, which a run of the system tests writes. A",
        "number says how many tests show by real packets that the feature does what it must and",
        "does not do what it must not, on one host or across two; an empty cell: no test does, or",
        "there is no such thing.",
        "",
        f"| feature | {' | '.join(heads)} |",
        "|---|" + "---|" * len(heads),
    ]
    features = sorted({each.feature for each in proofs})
    for feature in features:
        cells = [
            sum(
                each.feature == feature and family in each.families and place in each.places
                for each in proofs
            )
            for family in FAMILIES
            for place in PLACES
        ]
        lines.append(f"| {feature} | {' | '.join(str(n) if n else '' for n in cells)} |")
    lines += ["", "## The tests", ""]
    for feature in features:
        tests = ", ".join(f"`{each.test}`" for each in proofs if each.feature == feature)
        lines.append(f"* {feature}: {tests}")
    return "\n".join(lines)
