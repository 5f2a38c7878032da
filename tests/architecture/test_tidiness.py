"""What we never want to see in a tree that newcomers must find their way in."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for path in (ROOT / "src").rglob("*.py") if "/pb/" not in str(path))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
lines_max = 500  # of a module: think again at 400, stop at 500
function_lines_max = 65  # a function fits a screen
names_that_say_nothing = {"utils", "util", "common", "helpers", "helper", "base", "misc", "v2"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def text_by_module() -> dict[str, str]:
    return {relative(path): path.read_text() for path in SOURCES}


def test_a_module_says_what_it_owns() -> None:
    silent = [name for name, text in text_by_module().items() if not text.startswith('"""')]

    assert silent == [], "no module docstring"


def test_a_module_holds_one_idea() -> None:
    texts = text_by_module().items()

    assert [path for path in SOURCES if path.stem in names_that_say_nothing] == []
    assert [name for name, text in texts if text.count("\n") > lines_max] == []
    long = [
        f"{name}: {f.name}"
        for name, text in texts
        for f in functions(ast.parse(text))
        if (f.end_lineno or 0) - f.lineno > function_lines_max
    ]
    assert long == []


@pytest.mark.parametrize(
    "what",
    [
        r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError",
        r"shell=True|os\.system|\bpickle\b|\beval\(|\bexec\(",
        r"\bsubprocess\b|create_subprocess",
    ],
)
def test_nothing_is_left_for_later_and_nothing_runs_a_shell(what: str) -> None:
    found = [
        f"{name}: {each[0]}"
        for name, text in text_by_module().items()
        for each in re.finditer(what, text)
        if "/lab/" not in name or "subprocess" not in what  # a lab runs switches
    ]

    assert found == []


def headings(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for name, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
            target = page.parent / name if name else page
            if not target.exists() or (heading and heading not in headings(target)):
                broken.append(f"{relative(page)}: {name}#{heading}")

    assert not broken


def test_modules_that_texts_name_are_there() -> None:
    """By a path from a room, or, in a docstring, from where its own module is."""
    missing = []
    for path in [*SOURCES, *PAGES]:
        is_code = path.suffix == ".py"
        rooms = [ROOT, ROOT / "src" / "alcor", ROOT / "tests", *(path.parents if is_code else ())]
        named = re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|proto))`", path.read_text())
        missing += [
            f"{relative(path)}: {name}"
            for name in named
            if (is_code or "/" in name) and not any((room / name).exists() for room in rooms)
        ]

    assert not missing


def test_a_decision_has_a_number_and_a_line_of_its_own() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = [path.name for path in sorted(folder.glob("[0-9]*.md"))]
    listed = (folder / "README.md").read_text()

    assert [name[:4] for name in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    assert [name for name in pages if f"[{name[:4]}]({name})" not in listed] == []
