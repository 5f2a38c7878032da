"""A part of Tempest's own tests, with a real Keystone, against the product as a process."""

from collections.abc import Iterator
from typing import Any

import pytest
from acceptance.part import PART
from acceptance.product import endpoint, product
from acceptance.tempest import Tempest


@pytest.fixture(scope="module")
def tempest(keystone: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tempest]:
    folder = tmp_path_factory.mktemp("tempest")
    with product(folder / "product", keystone) as server:
        keystone.publish(endpoint(server))
        one = Tempest(folder / "workspace")
        one.prepare(keystone, endpoint(server))
        yield one


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PART)
def test_tempest_finds_nothing_wrong(tempest: Tempest, name: str) -> None:
    outcomes = tempest.run(PART[name].regex, PART[name].exclude)

    failed = [f"{o.test}\n{o.reason}" for o in outcomes if o.status == "failed"]
    assert not failed, "\n".join(failed)
    assert sum(o.status == "passed" for o in outcomes) >= PART[name].passed_min
