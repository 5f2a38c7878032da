"""Programs and tests of others in Go: fetched from its module proxy by pinned version, built here.

Go keeps sources and what it has built in its own caches; programs are kept under `.acceptance/`.
"""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from acceptance.environments import WORK, AcceptanceError
from acceptance.report import Outcome

_STATUS = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_shown_max = 20_000  # characters of a failed test's output that are kept


class Module(NamedTuple):
    """A Go module, at the version that runs are made with."""

    path: str
    version: str


class _Event(msgspec.Struct, rename="pascal"):
    """A line of `go test -json`; what concerns a whole package names no test."""

    action: str
    package: str = ""
    test: str = ""
    output: str = ""
    elapsed: float = 0.0


class _Fetched(msgspec.Struct, rename="pascal"):
    """What `go mod download -json` says of a module."""

    dir: str = ""
    error: str = ""


def source(module: Module) -> Path:
    """The folder of a module's source, in Go's own cache; it is read-only."""
    asked = [_go(), "mod", "download", "-json", f"{module.path}@{module.version}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    fetched = msgspec.json.decode(done.stdout or "{}", type=_Fetched)
    if not fetched.dir:
        raise AcceptanceError(f"{module.path} {module.version}: {fetched.error}{done.stderr}")
    return Path(fetched.dir)


def program(module: Module, package: str, name: str) -> Path:
    """A program of a module, under this name; built once for each version, which takes minutes."""
    built = WORK / "go" / f"{name}_{module.version}"
    if not built.exists():
        sys.stderr.write(f"building {name} {module.version}\n")
        argv = [_go(), "build", "-buildvcs=false", "-o", str(built), package]
        done = subprocess.run(argv, cwd=source(module), capture_output=True, text=True, check=False)
        if done.returncode:
            raise AcceptanceError(f"{' '.join(argv)}: {done.stderr[-2_000:]}")
    return built


def platform() -> str:
    """What programs are built for, as `linux_amd64`."""
    asked = subprocess.run([_go(), "env", "GOOS", "GOARCH"], capture_output=True, check=True)
    return "_".join(asked.stdout.decode().split())


def tests(
    module: Module, packages: Sequence[str], words: Sequence[str], env: Mapping[str, str], log: Path
) -> list[Outcome]:
    """Run tests of packages, one package after another; `words` are more arguments of `go test`.

    `log` gets every line that was printed, as `go test -json` tells them.
    """
    argv = [_go(), "test", "-json", "-count=1", "-p=1", "-timeout=60m", *words, *packages]
    with log.open("ab") as out:
        subprocess.run(
            argv,
            cwd=source(module),
            env={**os.environ, **env},
            stdout=out,
            stderr=out,
            check=False,
        )
    found = outcomes(log.read_bytes(), module.path)
    if not found:
        raise AcceptanceError(f"no test ran: {log.read_text(errors='replace')[-2_000:]}")
    return found


def outcomes(lines: bytes, root: str) -> list[Outcome]:
    """What became of each test; a package that failed by itself, as by its build, is an outcome.

    A test's subtests belong to it; one that did not end, as others had no turn after it, failed.
    Packages are named from `root`.
    """
    output: dict[tuple[str, str], list[str]] = defaultdict(list)
    found: dict[tuple[str, str], Outcome] = {}
    for event in _events(lines):
        test, _, subtest = event.test.partition("/")
        key = (event.package, test)
        if event.action == "output":
            output[key].append(event.output)
        elif event.action in _STATUS and not subtest:
            status = _STATUS[event.action]
            reason = "" if status == "passed" else "".join(output[key])[-_shown_max:]
            name = f"{event.package.removeprefix(root).lstrip('/')}.{test or '(package)'}"
            found[key] = Outcome(name, status, reason, event.elapsed)
    failing = {package for (package, test), one in found.items() if test and one.status == "failed"}
    return [
        one
        for (package, test), one in found.items()
        if test or (one.status == "failed" and package not in failing)
    ]


def _events(lines: bytes) -> Iterator[_Event]:
    """What was told, and at last the failure of each test that did not end."""
    unended: dict[tuple[str, str], None] = {}
    for line in lines.splitlines():
        try:
            event = msgspec.json.decode(line, type=_Event)
        except msgspec.DecodeError:  # a compiler's or a library's own words between the lines
            continue
        if event.action == "run":
            unended[event.package, event.test] = None
        elif event.action in _STATUS:
            unended.pop((event.package, event.test), None)
        yield event
    for package, test in unended:
        yield _Event("fail", package, test)


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise AcceptanceError(
            "this needs Go (go.dev/dl, 1.25 or newer) on the PATH, and its module proxy (GOPROXY)"
        )
    return go
