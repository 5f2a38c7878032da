"""The arrows of ARCHITECTURE.md are the only imports there are."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def tool(name: str) -> ModuleType:
    """A script of tools/, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_import_contract_is_kept() -> None:
    linter = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run(
        [linter, "--config", ROOT / ".importlinter", "--no-cache"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stdout


def test_the_import_map_of_the_architecture_page_is_the_codes() -> None:
    imports = tool("import_map")

    page = imports.PAGE.read_text()

    assert imports.written(page) == imports.import_map(), "stale: run `make docs`"
