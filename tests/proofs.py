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


NOT_THERE = {  # of features, families and places: why there is nothing to prove
    ("Conntrack helpers", "IPv6", "same across"): "they read what is translated, and IPv6 is not",
    ("DHCP", "IPv4 IPv6", "across"): "a machine's own host answers",
    ("Floating IP to floating IP", "IPv6", "same across"): "as in Neutron, floating IPs are IPv4",
    ("Floating IPs", "IPv6", "same across"): "as in Neutron, floating IPs are IPv4",
    ("Floating IPs behind a second router", "IPv6", "same across"): "floating IPs are IPv4",
    ("Geneve tunnels", "IPv4 IPv6", "same"): "a tunnel is between two hosts",
    ("Local IPs", "IPv4", "across"): "a local IP leads to a port of the asker's own host",
    ("Local IPs", "IPv6", "same across"): "as in Neutron, local IPs are IPv4",
    ("Metadata", "IPv4 IPv6", "across"): "a machine's own host answers",
    ("Mirrors of ports by GRE and ERSPAN", "IPv4 IPv6", "same"): "copies leave the host",
    ("Names", "IPv4 IPv6", "across"): "a machine's own host answers",
    ("Port forwardings", "IPv6", "same across"): "as in Neutron, floating IPs are IPv4",
    ("Ports that move", "IPv4 IPv6", "same"): "they move from one host to another",
    ("Router advertisements", "IPv4", "same across"): "IPv4 has none: DHCP tells of routers",
    ("Router advertisements", "IPv6", "across"): "a machine's own host answers",
    ("Translation to the router's address", "IPv6", "same across"): "IPv6 is not translated",
}


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
        "does not do what it must not, on one host or across two; `–`: there is no such thing, and",
        "below is said why; an empty cell: no test does.",
        "",
        f"| feature | {' | '.join(heads)} |",
        "|---|" + "---|" * len(heads),
    ]
    features = sorted({each.feature for each in proofs})
    for feature in features:
        cells = (_cell(proofs, feature, family, place) for family in FAMILIES for place in PLACES)
        lines.append(f"| {feature} | {' | '.join(cells)} |")
    lines += ["", "## What there is not", ""]
    for (feature, families, places), why in NOT_THERE.items():
        what = " and ".join(families.split())
        lines.append(f"* {feature}, {what}, {' and '.join(places.split())}: {why}.")
    lines += ["", "## The tests", ""]
    for feature in features:
        tests = ", ".join(f"`{each.test}`" for each in proofs if each.feature == feature)
        lines.append(f"* {feature}: {tests}")
    return "\n".join(lines)


def _cell(proofs: list[Proof], feature: str, family: str, place: str) -> str:
    """How many tests prove it; nothing, or that there is nothing to prove."""
    count = sum(
        each.feature == feature and family in each.families and place in each.places
        for each in proofs
    )
    if count:
        return str(count)
    return "–" if is_not_there(feature, family, place) else ""


def is_not_there(feature: str, family: str, place: str) -> bool:
    """Whether there is nothing to prove."""
    return any(
        feature == named and family in families.split() and place in places.split()
        for named, families, places in NOT_THERE
    )
