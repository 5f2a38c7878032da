"""Reference pages say what the code says."""

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "generate_docs.py"
spec = importlib.util.spec_from_file_location("generate_docs", TOOL)
assert spec is not None
assert spec.loader is not None
generate_docs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate_docs)


@pytest.mark.parametrize("name", sorted(generate_docs.pages()))
def test_a_generated_page_is_what_the_code_makes(name: str) -> None:
    page = generate_docs.FOLDER / name

    assert page.exists(), "missing: run `make docs`"
    assert page.read_text() == generate_docs.pages()[name].rstrip() + "\n", "stale: run `make docs`"
