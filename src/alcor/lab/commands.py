"""Run a program to its end: the lab's one door to other programs that finish by themselves."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from alcor.lab.layout import LabError

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # where Debian keeps ovs-vswitchd and ip


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with the system's programs on the path."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_SBIN}", "LC_ALL": "C", **more}


def run(
    *argv: str | Path,
    text: str = "",
    env: Mapping[str, str] | None = None,
    timeout_s: float = 30.0,
) -> str:
    """Run `argv` with `text` as its input; return what it printed, `LabError` when it failed."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=text,
            capture_output=True,
            text=True,
            env={**environment(), **(env or {})},
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        raise LabError(f"{words[0]} is not installed: run `make setup`") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"gave up after {timeout_s:g} s waiting for: {' '.join(words)}") from None
    if done.returncode != 0:
        raise LabError(f"{' '.join(words)[:300]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def ip_batch(lines: Sequence[str], namespace: str = "") -> None:
    """Carry out many `ip` commands in one process, inside `namespace` if one is given."""
    if lines:
        where = ["-n", namespace] if namespace else []
        run("ip", *where, "-batch", "-", text="\n".join(lines) + "\n")
