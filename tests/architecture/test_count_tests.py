"""The total that `make test` ends with."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "tools" / "count_tests.py"
FIRST = """<testsuites><testsuite>
<testcase classname="a" name="passes"/>
<testcase classname="a" name="hasty"><failure/></testcase>
<testcase classname="a" name="broken"/><testcase classname="a" name="broken"><error/></testcase>
<testcase classname="a" name="elsewhere"><skipped/></testcase>
</testsuite></testsuites>"""
AGAIN = """<testsuites><testsuite>
<testcase classname="a" name="hasty"/>
<testcase classname="a" name="broken"/><testcase classname="a" name="broken"><error/></testcase>
</testsuite></testsuites>"""


def test_who_passes_the_second_time_is_named_and_who_fails_twice_is_failed(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("count_tests", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    files = [tmp_path / "most.again.xml", tmp_path / "most.xml"]
    for file, text in zip(files, (AGAIN, FIRST), strict=True):
        file.write_text(text)
    said = "failed beside others and passed by itself, to be looked into: a.hasty"
    assert script.count(files) == f"{said}\ntotal: 2 passed, 1 failed, 1 skipped"
