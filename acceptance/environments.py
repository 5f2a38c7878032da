"""Python environments of their own for the programs of others."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_UV = _ROOT / ".tools" / "bin" / "uv"  # made by `make setup`
WORK = _ROOT / ".acceptance"


class AcceptanceError(Exception):
    """The run could not be made; the message says why."""


def environment(work: Path, name: str) -> Path:
    """The folder of programs of an environment with what `acceptance/<name>.txt` lists.

    Made when it is missing, brought up to date when the list has changed.
    """
    wanted = Path(__file__).parent / f"{name}.txt"
    folder = work / f"env-{name}"
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_bytes() == wanted.read_bytes():
        return folder / "bin"
    work.mkdir(parents=True, exist_ok=True)
    sys.stderr.write(f"installing {name} into {folder}\n")
    _uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder))
    python = str(folder / "bin" / "python")
    _uv("pip", "sync", "--quiet", "--compile-bytecode", "--python", python, str(wanted))
    stamp.write_bytes(wanted.read_bytes())
    return folder / "bin"


def run(
    argv: list[str], log: Path, env: dict[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a program to its end; `AcceptanceError` with the end of its log when it fails."""
    with log.open("ab") as out:
        done = subprocess.run(argv, stdout=out, stderr=out, env=env, cwd=cwd, check=False)
    if done.returncode:
        tail = log.read_text(errors="replace")[-2_000:]
        raise AcceptanceError(f"{' '.join(argv)} ended with {done.returncode}: {tail}")


def _uv(*words: str) -> None:
    uv = str(_UV) if _UV.exists() else "uv"
    done = subprocess.run([uv, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AcceptanceError(f"uv {words[0]} {words[1]}: {done.stderr[-2_000:]}")
