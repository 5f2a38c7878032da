"""What `go test -json` tells, as outcomes."""

import json
from typing import Any

from acceptance.golang import outcomes

ROOT = "example.org/module"
TESTS = f"{ROOT}/networks"


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps({"Package": TESTS} | event).encode() + b"\n" for event in events)


def test_a_test_has_one_outcome_with_all_that_it_and_its_subtests_printed() -> None:
    told = lines(
        {"Action": "start"},
        {"Action": "run", "Test": "TestA"},
        {"Action": "output", "Test": "TestA", "Output": "before\n"},
        {"Action": "output", "Test": "TestA/of", "Output": "within\n"},
        {"Action": "fail", "Test": "TestA/of", "Elapsed": 0.1},
        {"Action": "fail", "Test": "TestA", "Elapsed": 0.5},
        {"Action": "output", "Test": "TestB", "Output": "not here\n"},
        {"Action": "skip", "Test": "TestB", "Elapsed": 0},
        {"Action": "pass", "Test": "TestC", "Elapsed": 2},
        {"Action": "fail", "Elapsed": 3},
    )

    assert [tuple(one) for one in outcomes(told, ROOT)] == [
        ("networks.TestA", "failed", "before\nwithin\n", 0.5),
        ("networks.TestB", "skipped", "not here\n", 0.0),
        ("networks.TestC", "passed", "", 2.0),
    ]


def test_a_test_that_ends_its_program_failed() -> None:
    told = lines(
        {"Action": "run", "Test": "TestA"},
        {"Action": "fail", "Test": "TestA"},
        {"Action": "run", "Test": "TestB"},
        {"Action": "output", "Test": "TestB", "Output": "panic\n"},
        {"Action": "fail"},
    )

    found = {one.test: (one.status, one.reason) for one in outcomes(told, ROOT)}

    assert found == {"networks.TestA": ("failed", ""), "networks.TestB": ("failed", "panic\n")}


def test_a_package_that_does_not_build_is_an_outcome() -> None:
    told = b"# a compiler's words\n" + lines(
        {"Action": "output", "Output": "FAIL [build failed]\n"}, {"Action": "fail"}
    )

    [one] = outcomes(told, ROOT)

    assert (one.test, one.status) == ("networks.(package)", "failed")
    assert "build failed" in one.reason
