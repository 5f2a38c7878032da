"""Which version this is: the release, and the commit that the code is of (`0.1.0+g65a7d7e1c`).

A checkout is asked for its commit whenever a process starts. What was built says the commit that it
was built from: the build runs this file too, so it needs nothing but the standard library. Where no
commit is known, the release stands alone; changes that are not committed can't be seen.
"""

import os
import re
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

_release = "0.1.0"
_digits = 9  # of a commit: as many as name one among millions
_tree = Path(__file__).parents[3]  # whose pyproject.toml is beside src; nothing, when installed


@cache
def version() -> str:
    """As the running code has it; a process keeps it, as it keeps its code."""
    return of_tree(_tree) if (_tree / "pyproject.toml").exists() else metadata.version("alcor")


def of_tree(tree: Path) -> str:
    """As sources have it: a checkout's commit, or SOURCE_COMMIT, or what a source archive says."""
    if commit := _commit(tree) or os.environ.get("SOURCE_COMMIT", ""):
        return f"{_release}+g{commit[:_digits]}"
    said = _text(tree / "PKG-INFO")
    found = re.search(r"^Version: (\S+)$", said, re.MULTILINE)
    return found[1] if found else _release


def _commit(tree: Path) -> str:
    """What HEAD is, of a clone or of a worktree (gitrepository-layout(5)); empty: there is none."""
    folder = tree / ".git"
    if named := re.match(r"gitdir: (.+)", _text(folder)):
        folder = tree / named[1]
    head = _text(folder / "HEAD").strip()
    if not head.startswith("ref: "):
        return head
    branch = head.removeprefix("ref: ")
    shared = folder / (_text(folder / "commondir").strip() or ".")
    packed = re.search(rf"^(\w+) {re.escape(branch)}$", _text(shared / "packed-refs"), re.MULTILINE)
    loose = _text(folder / branch) or _text(shared / branch)
    return loose.strip() or (packed[1] if packed else "")


def _text(path: Path) -> str:
    """A file's text; empty if there is no such file."""
    with suppress(OSError):
        return path.read_text()
    return ""
