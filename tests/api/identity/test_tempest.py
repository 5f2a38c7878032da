"""A part of Tempest's own tests, with a real Keystone, against the product as a process."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from acceptance.part import PART
from acceptance.product import product
from acceptance.report import Outcome
from acceptance.tempest import Tempest


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, keystone: Any, tmp_path_factory: pytest.TempPathFactory
) -> Sequence[Outcome]:
    """What became of the tests of all groups, in one run: finding them takes Tempest long."""
    folder = tmp_path_factory.mktemp("tempest")
    with product(folder / "product", keystone, request.config.getoption("--shape")) as running:
        keystone.publish(running.endpoint)
        tempest = Tempest(folder / "workspace")
        tempest.prepare(keystone, running.endpoint)
        return tempest.run("|".join(group.regex for group in PART.values()))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PART)
def test_tempest_finds_nothing_wrong(outcomes: Sequence[Outcome], name: str) -> None:
    ours = [outcome for outcome in outcomes if re.search(PART[name].regex, outcome.test)]

    failed = [f"{o.test}\n{o.reason}" for o in ours if o.status == "failed"]
    assert not failed, "\n".join(failed)
    assert sum(o.status == "passed" for o in ours) >= PART[name].passed_min


def test_no_class_of_tests_failed_before_it_began(outcomes: Sequence[Outcome]) -> None:
    """A class whose preparation fails has no tests, and is an outcome of its own."""
    assert not [o.test for o in outcomes if o.status == "failed"]
    assert outcomes
